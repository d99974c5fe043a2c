/** The statements of the event log and of the keys that callers gave. */

import type { Database, Statement } from 'better-sqlite3'
import { type AnyRow, anyRow, type ManyRows, manyRows } from './many-rows.ts'
import type { ChainRow, EventRow } from './rows.ts'

const EVENT_COLUMNS = `
  e.seq, c.customer, f.label AS feature, t.period_start, e.quantity, e.at, r.label AS route, e.key, e.properties, e.charge, e.corrects
  FROM _events e
  JOIN _totals t ON t.id = e.total_id
  JOIN _customers c ON c.id = t.customer_id
  JOIN _labels f ON f.id = t.feature_id
  LEFT JOIN _labels r ON r.id = e.route_id`

const CHAIN = `
  WITH RECURSIVE chain (seq, previous, quantity, charge) AS (
    SELECT seq, seq - back, quantity, charge FROM _events WHERE seq = ?
    UNION ALL
    SELECT e.seq, e.seq - e.back, e.quantity, e.charge FROM chain JOIN _events e ON e.seq = chain.previous
  )`

export interface TotalsKey {
  readonly customer_id: number
  readonly feature_id: number
  readonly period_start: number
}

export interface LogStatements {
  /** `seq`, `total_id`, `quantity`, `at`, `back`, `route_id`, `key`, `properties`. */
  readonly insertEvents: ManyRows
  readonly insertChargedEvent: Statement
  /** `customer_id`, `key`, `seq`. */
  readonly insertEventKeys: ManyRows
  /** `customer_id`, `key`. */
  readonly anyEventKey: AnyRow
  readonly seqOfKey: Statement<[number, string], bigint>
  readonly eventBySeq: Statement<[number, number | bigint], EventRow>
  readonly log: Statement<[number, number], EventRow>
  readonly chain: Statement<[bigint | number, number], ChainRow>
  readonly previousOf: Statement<TotalsKey & { seq: number }, bigint>
  readonly recount: Statement<[bigint], { quantity: bigint; events: bigint; charged: bigint }>
  readonly charges: Statement<[bigint], string>
}

const INSERT_EVENT = 'INSERT INTO _events (seq, total_id, quantity, at, back, route_id, key, properties'

export function logStatements(db: Database): LogStatements {
  return {
    insertEvents: manyRows(db, 8, (rows) => `${INSERT_EVENT}) VALUES ${rows}`),
    insertChargedEvent: db
      .prepare(`${INSERT_EVENT}, charge, corrects) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
      .safeIntegers(false),
    insertEventKeys: manyRows(db, 3, (rows) => `INSERT INTO _event_keys (customer_id, key, seq) VALUES ${rows}`),
    anyEventKey: anyRow(
      db,
      2,
      (rows) =>
        `SELECT 1 FROM (VALUES ${rows}) AS asked CROSS JOIN _event_keys k ON k.customer_id = asked.column1 AND k.key = asked.column2 LIMIT 1`,
    ),
    seqOfKey: db.prepare<[number, string], bigint>('SELECT seq FROM _event_keys WHERE customer_id = ? AND key = ?').pluck(),
    eventBySeq: db.prepare<[number, number | bigint], EventRow>(`SELECT ${EVENT_COLUMNS} WHERE t.customer_id = ? AND e.seq = ?`),
    log: db.prepare<[number, number], EventRow>(`SELECT ${EVENT_COLUMNS} WHERE e.seq > ? ORDER BY e.seq LIMIT ?`),
    // Crossed, so that the chain leads: to save the sort, the planner would go through the whole log instead.
    // Closing reads every event of a month by it: an array of doubles costs half of an object of bigints; what a double does not hold comes as text.
    chain: db
      .prepare<[bigint | number, number], ChainRow>(`
      WITH RECURSIVE chain (seq, previous) AS (
        SELECT seq, seq - back FROM _events WHERE seq = ?
        UNION ALL
        SELECT e.seq, e.seq - e.back FROM chain JOIN _events e ON e.seq = chain.previous
        LIMIT ?
      )
      SELECT e.seq, iif(abs(e.quantity) < 9007199254740992, e.quantity, CAST(e.quantity AS TEXT)), e.at, r.label AS route, e.key, e.properties, e.charge, e.corrects
      FROM chain ch CROSS JOIN _events e ON e.seq = ch.seq LEFT JOIN _labels r ON r.id = e.route_id ORDER BY ch.seq DESC`)
      .safeIntegers(false)
      .raw(),
    previousOf: db
      .prepare<TotalsKey & { seq: number }, bigint>(`
        SELECT e.seq - e.back FROM _events e JOIN _totals t ON t.id = e.total_id
        WHERE e.seq = :seq AND t.customer_id = :customer_id AND t.feature_id = :feature_id AND t.period_start = :period_start`)
      .pluck(),
    recount: db.prepare<[bigint], { quantity: bigint; events: bigint; charged: bigint }>(
      `${CHAIN} SELECT coalesce(sum(quantity), 0) AS quantity, count(*) AS events, count(charge) AS charged FROM chain`,
    ),
    charges: db.prepare<[bigint], string>(`${CHAIN} SELECT charge FROM chain WHERE charge IS NOT NULL`).pluck(),
  }
}
