/** The spool's file: its statements, and the events of one store in it. */

import type Database from 'better-sqlite3'
import type { NewUsageEvent, Properties } from '../records/usage-event.ts'
import { openDatabase } from '../sqlite/open.ts'
import { invariant } from '../values/invariant.ts'
import { prepareSpoolTables } from './schema.ts'

/** An event as it waits in the file. */
export interface SpooledEvent {
  readonly id: bigint
  readonly event: NewUsageEvent
}

export interface SpoolCounts {
  /** Events of this store that wait to be delivered. */
  readonly events: number
  /** Events of this store that it would not take. */
  readonly rejected: number
  /** Events that wait for other stores. */
  readonly elsewhere: number
}

export interface SpoolFile {
  /** Names the store among those that use the file. */
  readonly storeId: bigint
  /** Runs `write` in one transaction, synced to the disk. Throws what SQLite throws; nothing is written then. */
  transact(write: () => void): void
  counts(): SpoolCounts
  /** Those that have waited longest, in the order in which they came. */
  head(limit: number): SpooledEvent[]
  insert(event: NewUsageEvent): void
  remove(id: bigint): void
  /** Keeps it apart with the reason. Says whether it was still there: another process may have been first. */
  reject(id: bigint, code: string, message: string): boolean
  /** Puts everything that was rejected at the end of the spool again, and says how many it was. */
  restore(): number
  close(): void
}

interface EventRow {
  readonly id: bigint
  readonly customer_id: string
  readonly feature: string
  readonly quantity: bigint
  readonly at: bigint
  readonly key: string
  readonly route: string | null
  readonly properties: string | null
}

const CONTENT = 'store_id, customer_id, feature, quantity, at, key, route, properties'

/** Opens the file, and makes it when it is not there. `location` names the store. Throws `store_not_writable`, `store_unsupported` or `store_unavailable`. */
export function openSpoolFile(path: string, location: string): SpoolFile {
  const db = openDatabase(path, prepareSpoolTables)
  // Each commit is one sync for all the events of a turn of the event loop, and nobody waits for an answer to it.
  db.pragma('synchronous = FULL')
  const storeId = registerStore(db, location)
  const insert = db.prepare(`INSERT INTO _events (${CONTENT}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`)
  const remove = db.prepare<[bigint]>('DELETE FROM _events WHERE id = ?')
  const keepApart = db.prepare(
    `INSERT INTO _rejected (id, ${CONTENT}, code, message) SELECT id, ${CONTENT}, ?, ? FROM _events WHERE id = ?`,
  )
  const putBack = db.prepare(
    `INSERT INTO _events (${CONTENT}) SELECT ${CONTENT} FROM _rejected WHERE store_id = ? ORDER BY _rejected.id`,
  )
  const forgetRejected = db.prepare('DELETE FROM _rejected WHERE store_id = ?')
  const head = db.prepare<[bigint, number], EventRow>(
    'SELECT id, customer_id, feature, quantity, at, key, route, properties FROM _events WHERE store_id = ? ORDER BY id LIMIT ?',
  )
  const counts = db.prepare<[bigint], { events: bigint; rejected: bigint }>('SELECT events, rejected FROM _stores WHERE id = ?')
  const elsewhere = db.prepare<[bigint], bigint>('SELECT coalesce(sum(events), 0) FROM _stores WHERE id <> ?').pluck()
  const transaction = db.transaction((write: () => void) => write())

  return {
    storeId,
    transact: (write) => transaction.immediate(write),
    counts() {
      const own = counts.get(storeId)
      invariant(own !== undefined, 'a spool knows the store that it was opened for')
      return { events: Number(own.events), rejected: Number(own.rejected), elsewhere: Number(elsewhere.get(storeId) ?? 0n) }
    },
    head: (limit) => head.all(storeId, limit).map((row) => ({ id: row.id, event: eventFromRow(row) })),
    insert({ customerId, feature, quantity, at, key, route, properties }) {
      const text = properties === null ? null : JSON.stringify(properties)
      insert.run(storeId, customerId, feature, quantity, at, key, route, text)
    },
    remove: (id) => void remove.run(id),
    reject(id, code, message) {
      const { changes } = keepApart.run(code, message, id)
      remove.run(id)
      return changes > 0
    },
    restore() {
      const { changes } = putBack.run(storeId)
      forgetRejected.run(storeId)
      return changes
    },
    close: () => db.close(),
  }
}

function registerStore(db: Database.Database, location: string): bigint {
  db.pragma('busy_timeout = 5000')
  db.prepare('INSERT INTO _stores (location) VALUES (?) ON CONFLICT DO NOTHING').run(location)
  db.pragma('busy_timeout = 0')
  const id = db.prepare<[string], bigint>('SELECT id FROM _stores WHERE location = ?').pluck().get(location)
  invariant(id !== undefined, 'a store that was written is there')
  return id
}

function eventFromRow(row: EventRow): NewUsageEvent {
  const { customer_id: customerId, feature, quantity, key, route, properties } = row
  invariant(quantity >= 0n, 'a quantity is never negative')
  const read = properties === null ? null : (JSON.parse(properties) as Properties)
  return { customerId, feature, quantity, at: Number(row.at), key, route, properties: read }
}
