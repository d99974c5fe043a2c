/** The second eye: what was billed, read from the database file by SQL and never through the engine. */

import Database from 'better-sqlite3'

/** A usage event as the log holds it. */
export interface BilledEvent {
  readonly customer: string
  readonly feature: string
  /** In millionths of a unit. */
  readonly quantity: number
  readonly route: string | null
  readonly key: string
}

export interface Ledger {
  events(): readonly BilledEvent[]
  /** How many reservations wait to be settled. */
  pending(): number
  /** What the file says against itself; empty when all is well. */
  contradictions(): readonly string[]
  /** Takes the write lock, so that the store cannot write until `unlock()`. */
  lock(): void
  unlock(): void
  close(): void
}

const EVENTS = 'SELECT customer, feature, quantity_millionths AS quantity, route, key FROM events ORDER BY seq'

const SUMS = `SELECT customer, feature, sum(quantity_millionths) AS quantity, count(*) AS events FROM events GROUP BY 1, 2 ORDER BY 1, 2`

const TOTALS = `SELECT customer, feature, sum(quantity_millionths) AS quantity, sum(events) AS events FROM totals WHERE events > 0 GROUP BY 1, 2 ORDER BY 1, 2`

const REPEATED = 'SELECT key FROM events GROUP BY customer, key HAVING count(*) > 1'

export function openLedger(file: string): Ledger {
  const db = new Database(file)
  const events = db.prepare<[], BilledEvent>(EVENTS)
  const pending = db.prepare<[], { pending: number }>('SELECT count(*) AS pending FROM reservations')
  return {
    events: () => events.all(),
    pending: () => pending.get()?.pending ?? 0,
    contradictions() {
      const found = db
        .prepare<[], { key: string }>(REPEATED)
        .all()
        .map(({ key }) => `the key ${key} is in the log twice`)
      const [sums, totals] = [JSON.stringify(db.prepare(SUMS).all()), JSON.stringify(db.prepare(TOTALS).all())]
      if (sums !== totals) found.push(`the events sum up to ${sums}, the totals say ${totals}`)
      return found
    },
    lock: () => void db.exec('BEGIN IMMEDIATE'),
    unlock() {
      if (db.open && db.inTransaction) db.exec('ROLLBACK')
    },
    close: () => db.close(),
  }
}

/** An event in words, such as `ada downloads 2.5 /files/:id`. */
export function inWords({ customer, feature, quantity, route }: BilledEvent): string {
  return `${customer} ${feature} ${quantity / 1_000_000} ${route}`
}
