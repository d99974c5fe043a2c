/** A digest of each customer's log: two logs hold the same events in the same order when these are the same. */

import { hash } from 'node:crypto'
import type { UsageEvent } from '@farebox/core/contracts'

/** The log of one customer, as far as it was read. */
export interface LogDigest {
  events: number
  digest: string
}

/** By customer. */
export type LogDigests = ReadonlyMap<string, Readonly<LogDigest>>

export interface Digester {
  readonly digests: LogDigests
  /** Adds a customer's next event and gives the log's digest with it. */
  add(event: UsageEvent): Readonly<LogDigest>
}

export function createDigester(): Digester {
  const digests = new Map<string, LogDigest>()
  return {
    digests,
    add(event) {
      let log = digests.get(event.customerId)
      if (log === undefined) digests.set(event.customerId, (log = { events: 0, digest: '' }))
      log.events += 1
      log.digest = hash('sha256', log.digest + textOf(event), 'base64url')
      return log
    },
  }
}

/** Everything that an event says but its place, which is each store's own. */
function textOf({ feature, quantity, at, key, route, properties }: UsageEvent): string {
  // The order of properties means nothing.
  const sorted = properties === null ? null : Object.entries(properties).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify([feature, String(quantity), at, key, route, sorted])
}
