/** The pending reservations of every process on the file, and the rows that hold them. */

import type { Reservation } from '../records/reservation.ts'
import { invariant } from '../values/invariant.ts'
import { reservationsFromRow, reservationsToRow } from './rows.ts'
import type { Statements } from './statements.ts'

/** One row of `_reservations`: all that one commit of one process admitted and that is not settled yet. */
interface HeldRow {
  readonly id: number
  readonly process: string
  readonly members: Map<string, Reservation>
}

/** What a batch did to reservations; written once before the commit, kept in memory once it succeeded. */
export interface HeldChanges {
  readonly added: Map<string, Reservation>
  readonly ended: Set<string>
}

/**
 * Reservations are written by commit, not one by one: a row for what a commit admitted, rewritten when some of it is settled
 * and deleted with the last. So a busy server pays for a fraction of a statement per request.
 */
export interface Held {
  /** Pending reservations of a customer. */
  of(customerId: string): Iterable<Reservation>
  /** Reads again what other processes hold. */
  refreshOthers(): void
  /** Writes the changes of a batch inside its transaction; the result is given to `keep` after the commit. */
  write(changes: HeldChanges): () => void
  /** Processes other than this one that hold something. */
  others(): Iterable<{ readonly process: string; readonly reservations: Iterable<Reservation> }>
}

export function createHeld(statements: Statements, process: string): Held {
  const rows = new Map<number, HeldRow>()
  const rowOf = new Map<string, HeldRow>()
  const byCustomer = new Map<string, Map<string, Reservation>>()

  return { of: (customerId) => byCustomer.get(customerId)?.values() ?? [], refreshOthers, write, others }

  function refreshOthers(): void {
    for (const row of rows.values()) if (row.process !== process) forgetRow(row)
    for (const stored of statements.reservations.all()) {
      if (stored.process === process) continue
      keepRow({ id: Number(stored.id), process: stored.process, members: byKey(reservationsFromRow(stored.reservations)) })
    }
  }

  function write({ added, ended }: HeldChanges): () => void {
    const touched = new Map<HeldRow, Set<string>>()
    for (const key of ended) {
      // Admitted and settled in one batch: it never reaches a row.
      if (added.delete(key)) continue
      const row = rowOf.get(key)
      invariant(row !== undefined, 'a reservation that ends was held')
      touched.set(row, (touched.get(row) ?? new Set()).add(key))
    }
    for (const [row, gone] of touched) writeRest(row, gone)
    const newId =
      added.size === 0 ? 0 : Number(statements.insertReservations.run(process, reservationsToRow(added.values())).lastInsertRowid)
    return () => {
      for (const [row, gone] of touched) for (const key of gone) forget(row, key)
      if (newId !== 0) keepRow({ id: newId, process, members: added })
    }
  }

  function writeRest(row: HeldRow, gone: ReadonlySet<string>): void {
    if (gone.size === row.members.size) {
      statements.deleteReservations.run(row.id)
      return
    }
    const rest = [...row.members.values()].filter((reservation) => !gone.has(reservation.key))
    statements.updateReservations.run(reservationsToRow(rest), row.id)
  }

  function* others(): Iterable<{ process: string; reservations: Iterable<Reservation> }> {
    for (const row of rows.values())
      if (row.process !== process) yield { process: row.process, reservations: row.members.values() }
  }

  function keepRow(row: HeldRow): void {
    rows.set(row.id, row)
    for (const reservation of row.members.values()) {
      rowOf.set(reservation.key, row)
      let ofCustomer = byCustomer.get(reservation.customerId)
      if (ofCustomer === undefined) byCustomer.set(reservation.customerId, (ofCustomer = new Map()))
      ofCustomer.set(reservation.key, reservation)
    }
  }

  function forgetRow(row: HeldRow): void {
    for (const key of row.members.keys()) forget(row, key)
    rows.delete(row.id)
  }

  function forget(row: HeldRow, key: string): void {
    const reservation = row.members.get(key)
    if (reservation === undefined) return
    row.members.delete(key)
    rowOf.delete(key)
    const ofCustomer = byCustomer.get(reservation.customerId)
    ofCustomer?.delete(key)
    if (ofCustomer?.size === 0) byCustomer.delete(reservation.customerId)
    if (row.members.size === 0) rows.delete(row.id)
  }
}

function byKey(reservations: readonly Reservation[]): Map<string, Reservation> {
  return new Map(reservations.map((reservation) => [reservation.key, reservation]))
}
