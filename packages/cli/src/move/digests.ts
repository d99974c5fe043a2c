/** A digest of the events of each period: two logs hold the same events in the same order of each when these are the same. */

import { hash } from 'node:crypto'
import { chargeToDocument, type LoggedEvent } from '@farebox/core/contracts'
import type { Originals } from './corrections.ts'
import { periodKey } from './periods.ts'

/** The log of one customer's feature in one usage period, as far as it was read. */
export interface LogDigest {
  readonly customerId: string
  events: number
  digest: string
}

/** By `periodKey`. */
export type LogDigests = ReadonlyMap<string, Readonly<LogDigest>>

export interface Digester {
  readonly digests: LogDigests
  /** Adds a period's next event and gives the period's digest with it. */
  add(event: LoggedEvent, originals: Originals): Readonly<LogDigest>
}

export function createDigester(): Digester {
  const digests = new Map<string, LogDigest>()
  return {
    digests,
    add(event, originals) {
      const key = periodKey(event)
      let log = digests.get(key)
      if (log === undefined) digests.set(key, (log = { customerId: event.customerId, events: 0, digest: '' }))
      log.events += 1
      log.digest = hash('sha256', log.digest + textOf(event, originals.get(event)), 'base64url')
      return log
    },
  }
}

/** Everything that an event says but places, which are each store's own. */
function textOf({ quantity, at, key, route, properties, charge }: LoggedEvent, original: string | undefined): string {
  // The order of properties means nothing.
  const sorted = properties === null ? null : Object.entries(properties).toSorted(([a], [b]) => (a < b ? -1 : 1))
  const text = JSON.stringify([String(quantity), at, key, route, sorted])
  if (charge === undefined && original === undefined) return text
  return `${text} ${charge === undefined ? '' : chargeToDocument(charge)} ${original ?? ''}`
}
