/** The first reading of a store: what its log reaches over, what was taken back, and what retention left of it. */

import type { Store } from '@farebox/core/contracts'
import { CommandError } from '../command-error.ts'
import { eachOf } from '../listing.ts'

export interface Recorded {
  readonly events: number
  /** The earliest and the latest instant of an event, epoch milliseconds. */
  readonly firstAt: number
  readonly lastAt: number
  /** Of each event that was corrected: the quantity of its correction, in millionths, by `eventName`. */
  readonly corrections: ReadonlyMap<string, bigint>
  /** By customer: periods that began up to this instant lack events, because retention took them. */
  readonly droppedUntil: ReadonlyMap<string, number>
}

export const LOG_PAGE = 10_000

/** Names an event of a store. */
export function eventName(customerId: string, seq: number): string {
  return `${customerId} ${seq}`
}

/** Reads the log and the totals once. Memory grows with corrections, not with events. */
export async function readRecorded(store: Store): Promise<Recorded> {
  const corrections = new Map<string, bigint>()
  let events = 0
  let firstAt = Infinity
  let lastAt = -Infinity
  for await (const { customerId, at, corrects, quantity } of eachOf((after) => store.log({ after, limit: LOG_PAGE }))) {
    events += 1
    firstAt = Math.min(firstAt, at)
    lastAt = Math.max(lastAt, at)
    if (corrects !== undefined) corrections.set(eventName(customerId, corrects), quantity)
  }
  if (events === 0)
    throw new CommandError(`${store.facts.location} has no event in its log yet: there is nothing to bill with another catalog`)
  return { events, firstAt, lastAt, corrections, droppedUntil: await readDropped(store) }
}

async function readDropped(store: Store): Promise<Map<string, number>> {
  const droppedUntil = new Map<string, number>()
  for await (const { customerId, periodStart, dropped } of eachOf((after) => store.totals({ after, limit: LOG_PAGE }))) {
    if (dropped.events > 0) droppedUntil.set(customerId, Math.max(periodStart, droppedUntil.get(customerId) ?? -Infinity))
  }
  return droppedUntil
}
