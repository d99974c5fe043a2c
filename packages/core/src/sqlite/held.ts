/** The pending reservations of every process on the file, and the rows that hold them. */

import type { Reservation } from '../records/reservation.ts'
import { invariant } from '../values/invariant.ts'
import { reservationsFromRow, reservationsToRow } from './rows.ts'
import type { Statements } from './statements.ts'

/** One row of `_reservations`: all that one commit of one process admitted. */
interface HeldRow {
  readonly id: number
  readonly process: string
  /** As it was written; those that ended since are no longer in `rowOf`. */
  readonly members: readonly Reservation[]
  /** How many of the members are pending. */
  open: number
  /** What the table holds for it. */
  text: string
}

/** A row as the table holds it. */
interface StoredRow {
  readonly id: bigint
  readonly process: string
  readonly reservations: string
}

/** What a batch did to reservations; written once before the commit. */
export interface HeldChanges {
  readonly added: Reservation[]
  readonly ended: Reservation[]
}

/**
 * Reservations are written by commit, not one by one: a row for what a commit admitted, rewritten when some of it is settled
 * and deleted with the last. So a busy server pays for a fraction of a statement per request.
 */
export interface Held {
  /** Pending reservations of a customer. */
  of(customerId: string): readonly Reservation[]
  /** Writes the changes of a batch inside its transaction. Memory follows at once: a rollback is followed by `reload`. */
  write(changes: HeldChanges): void
  /** Reads again what other processes wrote: rows of their own, and rows of this one of which they ended something. */
  refresh(): void
  /** Forgets all and reads it again. */
  reload(): void
  /** Processes other than this one that hold something. */
  others(): Iterable<{ readonly process: string; readonly reservations: readonly Reservation[] }>
}

export function createHeld(statements: Statements, process: string): Held {
  const rows = new Map<number, HeldRow>()
  // By the reservation itself: two customers may reserve under one key.
  const rowOf = new Map<Reservation, HeldRow>()
  const byCustomer = new Map<string, Reservation[]>()

  return { of: (customerId) => byCustomer.get(customerId) ?? [], write, refresh, reload, others }

  function write({ added, ended }: HeldChanges): void {
    const changed = new Set<HeldRow>()
    for (const reservation of ended) {
      const row = rowOf.get(reservation)
      if (row === undefined) {
        // Admitted and settled in one batch: it never reaches a row.
        remove(added, reservation)
      } else {
        forget(row, reservation)
        changed.add(row)
      }
    }
    for (const row of changed) {
      if (row.open === 0) {
        statements.deleteReservations.run(row.id)
      } else {
        row.text = reservationsToRow(pendingOf(row))
        statements.updateReservations.run(row.text, row.id)
      }
    }
    if (added.length === 0) return
    const text = reservationsToRow(added)
    const { lastInsertRowid } = statements.insertReservations.run(process, text)
    keepRow({ id: Number(lastInsertRowid), process, members: added, open: added.length, text })
  }

  function refresh(): void {
    const gone = new Set(rows.values())
    const changed: StoredRow[] = []
    for (const stored of statements.reservations.all()) {
      const row = rows.get(Number(stored.id))
      if (row?.process === stored.process && row.text === stored.reservations) gone.delete(row)
      else changed.push(stored)
    }
    for (const row of gone) for (const reservation of pendingOf(row)) forget(row, reservation)
    for (const stored of changed) keepStored(stored)
  }

  function reload(): void {
    rows.clear()
    rowOf.clear()
    byCustomer.clear()
    for (const stored of statements.reservations.all()) keepStored(stored)
  }

  function* others(): Iterable<{ process: string; reservations: readonly Reservation[] }> {
    for (const row of rows.values()) if (row.process !== process) yield { process: row.process, reservations: pendingOf(row) }
  }

  function keepStored(stored: StoredRow): void {
    const members = reservationsFromRow(stored.reservations)
    keepRow({ id: Number(stored.id), process: stored.process, members, open: members.length, text: stored.reservations })
  }

  function keepRow(row: HeldRow): void {
    rows.set(row.id, row)
    for (const reservation of row.members) {
      rowOf.set(reservation, row)
      const ofCustomer = byCustomer.get(reservation.customerId)
      if (ofCustomer === undefined) byCustomer.set(reservation.customerId, [reservation])
      else ofCustomer.push(reservation)
    }
  }

  function pendingOf(row: HeldRow): Reservation[] {
    return row.members.filter((reservation) => rowOf.has(reservation))
  }

  function forget(row: HeldRow, reservation: Reservation): void {
    rowOf.delete(reservation)
    row.open -= 1
    if (row.open === 0) rows.delete(row.id)
    const ofCustomer = byCustomer.get(reservation.customerId)
    invariant(ofCustomer !== undefined, 'a reservation that ends was held')
    if (ofCustomer.length === 1) byCustomer.delete(reservation.customerId)
    else remove(ofCustomer, reservation)
  }
}

function remove(reservations: Reservation[], reservation: Reservation): void {
  const index = reservations.indexOf(reservation)
  invariant(index !== -1, 'a reservation that ends was held')
  reservations.splice(index, 1)
}
