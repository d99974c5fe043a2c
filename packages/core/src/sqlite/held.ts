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
  /** Reads again what other processes hold. */
  refreshOthers(): void
  /** Reads again what every process holds. */
  reload(): void
  /** Processes other than this one that hold something. */
  others(): Iterable<{ readonly process: string; readonly reservations: readonly Reservation[] }>
}

export function createHeld(statements: Statements, process: string): Held {
  const rows = new Map<number, HeldRow>()
  const rowOf = new Map<string, HeldRow>()
  const byCustomer = new Map<string, Reservation[]>()

  return { of: (customerId) => byCustomer.get(customerId) ?? [], write, refreshOthers, reload, others }

  function write({ added, ended }: HeldChanges): void {
    const changed = new Set<HeldRow>()
    for (const reservation of ended) {
      const row = rowOf.get(reservation.key)
      if (row === undefined) {
        // Admitted and settled in one batch: it never reaches a row.
        removeByKey(added, reservation.key)
      } else {
        forget(row, reservation)
        changed.add(row)
      }
    }
    for (const row of changed) {
      if (row.open === 0) statements.deleteReservations.run(row.id)
      else statements.updateReservations.run(reservationsToRow(pendingOf(row)), row.id)
    }
    if (added.length === 0) return
    const { lastInsertRowid } = statements.insertReservations.run(process, reservationsToRow(added))
    keepRow({ id: Number(lastInsertRowid), process, members: added, open: added.length })
  }

  function refreshOthers(): void {
    for (const row of rows.values())
      if (row.process !== process) for (const reservation of pendingOf(row)) forget(row, reservation)
    for (const stored of statements.reservations.all()) if (stored.process !== process) keepStored(stored)
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

  function keepStored(stored: { readonly id: bigint; readonly process: string; readonly reservations: string }): void {
    const members = reservationsFromRow(stored.reservations)
    keepRow({ id: Number(stored.id), process: stored.process, members, open: members.length })
  }

  function keepRow(row: HeldRow): void {
    rows.set(row.id, row)
    for (const reservation of row.members) {
      rowOf.set(reservation.key, row)
      const ofCustomer = byCustomer.get(reservation.customerId)
      if (ofCustomer === undefined) byCustomer.set(reservation.customerId, [reservation])
      else ofCustomer.push(reservation)
    }
  }

  function pendingOf(row: HeldRow): Reservation[] {
    return row.members.filter(({ key }) => rowOf.get(key) === row)
  }

  function forget(row: HeldRow, { key, customerId }: Reservation): void {
    rowOf.delete(key)
    row.open -= 1
    if (row.open === 0) rows.delete(row.id)
    const ofCustomer = byCustomer.get(customerId)
    invariant(ofCustomer !== undefined, 'a reservation that ends was held')
    if (ofCustomer.length === 1) byCustomer.delete(customerId)
    else removeByKey(ofCustomer, key)
  }
}

function removeByKey(reservations: Reservation[], key: string): void {
  const index = reservations.findIndex((reservation) => reservation.key === key)
  invariant(index !== -1, 'a reservation that ends was held')
  reservations.splice(index, 1)
}
