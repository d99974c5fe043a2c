/** Reads the database with raw SQL on a connection of its own: the second eye, which shares no code with the engine. */

import Database from 'better-sqlite3'

export interface LogFacts {
  readonly events: number
  /** How often each `customer key` is in the log. */
  readonly countOf: ReadonlyMap<string, number>
  /** Keys that are in the log more than once. */
  readonly doubled: readonly string[]
  /** Totals that are not the sum of their events. */
  readonly wrongTotals: number
  /** Units in the log, by customer. */
  readonly usedBy: ReadonlyMap<string, number>
  /** Pending reservations: `customer key` and units. */
  readonly reserved: ReadonlyMap<string, number>
}

export interface InvoiceFacts {
  readonly numbers: readonly number[]
  /** The last number that the series gave. */
  readonly last: number
  /** `customer moment` of each final invoice. */
  readonly moments: readonly string[]
  readonly drafts: number
}

const MILLIONTHS = 1_000_000

/** One consistent look at everything: one read transaction. */
export function readLog(database: string): LogFacts {
  return look(database, (db) => {
    const countOf = new Map<string, number>()
    const usedBy = new Map<string, number>()
    let events = 0
    const rows = db.prepare<[], { customer: string; key: string; quantity: number }>(
      'SELECT customer, key, quantity_millionths AS quantity FROM events ORDER BY seq',
    )
    for (const { customer, key, quantity } of rows.iterate()) {
      events += 1
      countOf.set(`${customer} ${key}`, (countOf.get(`${customer} ${key}`) ?? 0) + 1)
      usedBy.set(customer, (usedBy.get(customer) ?? 0) + quantity / MILLIONTHS)
    }
    const doubled = [...countOf].filter(([, count]) => count > 1).map(([key]) => key)
    return { events, countOf, doubled, wrongTotals: wrongTotals(db), usedBy, reserved: reservedIn(db) }
  })
}

export function readInvoices(database: string): InvoiceFacts {
  return look(database, (db) => {
    const finals = db
      .prepare<[], { customer: string; number: number; id: string }>(
        'SELECT c.customer, i.number, i.id FROM _invoices i JOIN _customers c ON c.id = i.customer_id WHERE i.number IS NOT NULL ORDER BY i.number',
      )
      .all()
    const last = db.prepare<[], number>('SELECT coalesce(max(last), 0) FROM _series').pluck().get() ?? 0
    const drafts = db.prepare<[], number>('SELECT count(*) FROM _invoices WHERE number IS NULL').pluck().get() ?? 0
    const moments = finals.map(({ customer, id }) => `${customer} ${id.slice(id.lastIndexOf('-') + 1)}`)
    return { numbers: finals.map(({ number }) => number), last, moments, drafts }
  })
}

/** Documents of the final invoices, in the order of their numbers. */
export function readDocuments<T>(database: string): T[] {
  const sql = 'SELECT document FROM _invoices WHERE number IS NOT NULL ORDER BY number'
  return look(database, (db) =>
    db
      .prepare<[], string>(sql)
      .pluck()
      .all()
      .map((text) => JSON.parse(text) as T),
  )
}

/** Each event's customer and instant, in the order of the log. */
export function readInstants(database: string): { readonly customer: string; readonly at: number }[] {
  const sql = 'SELECT customer, at_ms AS at FROM events ORDER BY seq'
  return look(database, (db) => db.prepare<[], { customer: string; at: number }>(sql).all())
}

/** Events whose usage no final invoice holds. */
export function countOpenEvents(database: string): number {
  return look(
    database,
    (db) => db.prepare<[], number>('SELECT coalesce(sum(events), 0) FROM _totals WHERE invoice_id IS NULL').pluck().get() ?? 0,
  )
}

/** `ok`, or what SQLite found wrong with the file. */
export function checkIntegrity(database: string): string {
  return look(database, (db) => String(db.pragma('integrity_check', { simple: true })))
}

function look<T>(database: string, read: (db: Database.Database) => T): T {
  const db = new Database(database, { readonly: true, timeout: 5_000 })
  try {
    return db.transaction(() => read(db))()
  } finally {
    db.close()
  }
}

/** Each total is compared with the events that point to it. */
function wrongTotals(db: Database.Database): number {
  const sql = `
    WITH log AS (SELECT total_id AS id, sum(quantity) AS quantity, count(*) AS events FROM _events GROUP BY 1),
         kept AS (SELECT id, quantity, events FROM _totals)
    SELECT count(*) FROM log FULL JOIN kept USING (id)
    WHERE log.quantity IS NOT kept.quantity OR log.events IS NOT kept.events`
  return db.prepare<[], number>(sql).pluck().get() ?? 0
}

function reservedIn(db: Database.Database): Map<string, number> {
  const rows = db
    .prepare<[], { customer: string; key: string; quantity: number }>(
      'SELECT customer, key, quantity_millionths AS quantity FROM reservations',
    )
    .all()
  return new Map(rows.map(({ customer, key, quantity }) => [`${customer} ${key}`, quantity / MILLIONTHS]))
}
