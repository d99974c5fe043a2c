/** The pending reservations of every process on the file, and the rows that hold them. */

import type { Charge } from '../records/charge.ts'
import type { ModelUsage } from '../records/model-usage.ts'
import type { Reservation } from '../records/reservation.ts'
import { invariant } from '../values/invariant.ts'
import type { Quantity } from '../values/quantity.ts'
import { reservationsFromRow, reservationsToRow } from './rows.ts'
import type { Statements } from './statements.ts'

/** One row of `_reservations`: all that one commit of one process admitted. */
interface HeldRow {
  readonly id: number
  readonly process: string
  /** As it was written; those that ended since are no longer pending. */
  readonly members: readonly HeldReservation[]
  /** How many of the members are pending. */
  open: number
  /** What the table holds for it. */
  text: string
  /** Its place among the rows in memory. */
  place: number
}

/** A row as the table holds it. */
interface StoredRow {
  readonly id: bigint
  readonly process: string
  readonly reservations: string
}

/** A pending reservation that knows its row, so that its end finds it without a map of all that are pending. */
export class HeldReservation implements Reservation {
  readonly customerId: string
  readonly feature: string
  readonly quantity: Quantity
  readonly key: string
  readonly at: number
  readonly route: string | null
  readonly periodStart: number
  declare readonly charge?: Charge
  declare readonly usage?: ModelUsage
  /** Null before its row is written, and when it has ended. Private, so that it is no part of the reservation for anybody else. */
  #row: HeldRow | null = null

  constructor({ customerId, feature, quantity, key, at, route, periodStart, charge, usage }: Reservation) {
    this.customerId = customerId
    this.feature = feature
    this.quantity = quantity
    this.key = key
    this.at = at
    this.route = route
    this.periodStart = periodStart
    if (charge !== undefined) this.charge = charge
    if (usage !== undefined) this.usage = usage
  }

  static rowOf(reservation: HeldReservation): HeldRow | null {
    return reservation.#row
  }

  static setRow(reservation: HeldReservation, row: HeldRow | null): void {
    reservation.#row = row
  }
}

const { rowOf, setRow } = HeldReservation

/** What a batch did to reservations; written once before the commit. */
export interface HeldChanges {
  readonly added: HeldReservation[]
  readonly ended: HeldReservation[]
}

/**
 * Reservations are written by commit, not one by one: a row for what a commit admitted, rewritten when some of it is settled
 * and deleted with the last. So a busy server pays for a fraction of a statement per request. Nothing here is a map that lives long
 * while what it holds comes and goes: V8 leaves a chain of dead tables behind each such map, with what they held, until it collects all
 * of the heap.
 */
export interface Held {
  /** Pending reservations of a customer whose account is not in memory. */
  of(customerId: string): readonly HeldReservation[]
  /** Writes the changes of a batch inside its transaction. Memory follows at once: a rollback is followed by `reload`. */
  write(changes: HeldChanges): void
  /** Reads again what other processes wrote: rows of their own, and rows of this one of which they ended something. */
  refresh(): void
  /** Forgets all and reads it again. */
  reload(): void
  /** Processes other than this one that hold something, in the order in which it was reserved. */
  others(): Iterable<{ readonly process: string; readonly reservations: readonly Reservation[] }>
}

export function createHeld(statements: Statements, process: string): Held {
  const rows: HeldRow[] = []
  /**
   * What was pending by customer when it was last asked for after a reading. Whatever was reserved since is of an account in memory,
   * for accounts are not forgotten while something of them is pending.
   */
  let byCustomer: Map<string, HeldReservation[]> | null = null

  return { of, write, refresh, reload, others }

  function of(customerId: string): HeldReservation[] {
    byCustomer ??= Map.groupBy(rows.flatMap(pendingOf), (reservation) => reservation.customerId)
    return (byCustomer.get(customerId) ?? []).filter(isPending)
  }

  function write({ added, ended }: HeldChanges): void {
    const changed = new Set<HeldRow>()
    for (const reservation of ended) {
      const row = rowOf(reservation)
      if (row === null) {
        // Admitted and settled in one batch: it never reaches a row.
        const index = added.indexOf(reservation)
        invariant(index !== -1, 'a reservation that ends was held')
        added.splice(index, 1)
      } else {
        setRow(reservation, null)
        row.open -= 1
        changed.add(row)
      }
    }
    const emptied: HeldRow[] = []
    for (const row of changed) {
      if (row.open === 0) {
        emptied.push(row)
      } else {
        row.text = reservationsToRow(pendingOf(row))
        statements.updateReservations.run(row.text, row.id)
      }
    }
    if (added.length > 0) writeAdded(added, emptied)
    for (const row of emptied) {
      drop(row)
      statements.deleteReservations.run(row.id)
    }
  }

  /** A row of this process that the batch emptied is written over: deleting it and making another would touch twice as many pages. */
  function writeAdded(added: readonly HeldReservation[], emptied: HeldRow[]): void {
    const text = reservationsToRow(added)
    const own = emptied.findIndex((row) => row.process === process)
    if (own === -1) {
      const { lastInsertRowid } = statements.insertReservations.run(process, text)
      return keepRow({ id: Number(lastInsertRowid), process, members: added, text })
    }
    for (const row of emptied.splice(own, 1)) {
      drop(row)
      statements.updateReservations.run(text, row.id)
      keepRow({ id: row.id, process, members: added, text })
    }
  }

  function refresh(): void {
    byCustomer = null
    const known = new Map(rows.map((row) => [row.id, row]))
    const changed: StoredRow[] = []
    for (const stored of statements.reservations.all()) {
      const row = known.get(Number(stored.id))
      if (row?.process === stored.process && row.text === stored.reservations) known.delete(row.id)
      else changed.push(stored)
    }
    for (const row of known.values()) {
      for (const reservation of row.members) setRow(reservation, null)
      drop(row)
    }
    for (const stored of changed) keepStored(stored)
  }

  function reload(): void {
    byCustomer = null
    rows.length = 0
    for (const stored of statements.reservations.all()) keepStored(stored)
  }

  function* others(): Iterable<{ process: string; reservations: readonly Reservation[] }> {
    const foreign = rows.filter((row) => row.process !== process)
    for (const row of foreign.toSorted((a, b) => a.id - b.id)) yield { process: row.process, reservations: pendingOf(row) }
  }

  function keepStored(stored: StoredRow): void {
    const members = reservationsFromRow(stored.reservations).map((reservation) => new HeldReservation(reservation))
    keepRow({ id: Number(stored.id), process: stored.process, members, text: stored.reservations })
  }

  function keepRow(kept: Pick<HeldRow, 'id' | 'process' | 'members' | 'text'>): void {
    const row: HeldRow = { ...kept, open: kept.members.length, place: rows.length }
    rows.push(row)
    for (const reservation of row.members) setRow(reservation, row)
  }

  /** The last row takes its place. */
  function drop(row: HeldRow): void {
    const last = rows.pop()
    if (last === undefined || last === row) return
    rows[row.place] = last
    last.place = row.place
  }
}

function pendingOf({ members }: HeldRow): HeldReservation[] {
  return members.filter(isPending)
}

function isPending(reservation: HeldReservation): boolean {
  return rowOf(reservation) !== null
}
