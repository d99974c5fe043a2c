/** Every SQL statement of the store, prepared once. */

import type { Database, Statement } from 'better-sqlite3'
import type { ApiKeyRow, CustomerRow, EventRow, InvoiceRow, SubscriptionRow } from './rows.ts'

export interface TotalRow {
  readonly id: bigint
  readonly feature: string
  readonly period_start: bigint
  readonly quantity: bigint
  readonly events: bigint
  readonly last_seq: bigint
}

export interface StoredTotalRow extends TotalRow {
  readonly customer: string
  readonly invoice_id: string | null
}

const EVENT_COLUMNS = `
  e.seq, c.customer, f.label AS feature, e.quantity, e.at, r.label AS route, e.key, e.properties
  FROM _events e
  JOIN _customers c ON c.id = e.customer_id
  JOIN _labels f ON f.id = e.feature_id
  LEFT JOIN _labels r ON r.id = e.route_id`

const INVOICE_COLUMNS = 'i.seq, i.status, i.series, i.number, i.document FROM _invoices i'

/** The events of one total, newest first, by following each one's pointer to the one before. */
const CHAIN = `
  WITH RECURSIVE chain (seq, previous, quantity) AS (
    SELECT e.seq, e.previous, e.quantity FROM _totals t JOIN _events e ON e.seq = t.last_seq
    WHERE t.customer_id = :customer_id AND t.feature_id = :feature_id AND t.period_start = :period_start
    UNION ALL
    SELECT e.seq, e.previous, e.quantity FROM chain JOIN _events e ON e.seq = chain.previous
  )`

interface TotalKey {
  readonly customer_id: number
  readonly feature_id: number
  readonly period_start: number
}

/** The next `limit` events of a total: from its newest, or from the one before `after`, which is one of the same total. */
interface ChainQuery extends TotalKey {
  readonly after: number | null
  readonly limit: number
}

/** Prepared once per connection. A statement without types takes what its SQL names and gives nothing back. */
export interface Statements {
  readonly begin: Statement
  readonly commit: Statement
  readonly rollback: Statement
  readonly dataVersion: Statement<[], bigint>
  readonly lastSeq: Statement<[], bigint>
  readonly customer: Statement<[string], CustomerRow>
  readonly insertCustomer: Statement
  readonly updateCustomer: Statement
  readonly customerIds: Statement<[number, number], { id: bigint; customer: string }>
  readonly subscription: Statement<[number], SubscriptionRow>
  readonly saveSubscription: Statement
  readonly due: Statement<[number, number], string>
  readonly openTotals: Statement<[number], TotalRow>
  readonly insertTotal: Statement
  readonly updateTotal: Statement
  readonly sealTotal: Statement
  readonly totals: Statement<[number, number], StoredTotalRow>
  readonly insertEvent: Statement
  readonly insertEventKey: Statement
  readonly eventByKey: Statement<[number, string], EventRow>
  readonly log: Statement<[number, number], EventRow>
  readonly chain: Statement<ChainQuery, EventRow>
  readonly isOfTotal: Statement<TotalKey & { seq: number }, bigint>
  readonly recount: Statement<TotalKey, { quantity: bigint; events: bigint }>
  readonly label: Statement<[string], bigint>
  readonly insertLabel: Statement
  readonly reservations: Statement<[], { id: bigint; process: string; reservations: string }>
  readonly insertReservations: Statement
  readonly updateReservations: Statement
  readonly deleteReservations: Statement
  readonly drafts: Statement<[number], InvoiceRow>
  readonly saveDraft: Statement
  readonly takeNumber: Statement<[string], bigint>
  readonly finalizeInvoice: Statement
  readonly invoices: Statement<[number, number], InvoiceRow>
  readonly invoicesOf: Statement<[string, number, number], InvoiceRow>
  readonly invoiceById: Statement<[string], InvoiceRow>
  readonly invoiceByNumber: Statement<[string, number], InvoiceRow>
  readonly saveApiKey: Statement
  readonly apiKey: Statement<[string], ApiKeyRow>
  readonly apiKeys: Statement<[string], ApiKeyRow>
  readonly catalogs: Statement<[], { version: string; document: string }>
  readonly saveCatalog: Statement
}

export function prepareStatements(db: Database): Statements {
  return { ...ofTransactions(db), ...ofAccounts(db), ...ofTotals(db), ...ofEvents(db), ...ofReservations(db), ...ofInvoices(db) }
}

function ofTransactions(db: Database) {
  return {
    begin: db.prepare('BEGIN IMMEDIATE'),
    commit: db.prepare('COMMIT'),
    rollback: db.prepare('ROLLBACK'),
    dataVersion: db.prepare<[], bigint>('PRAGMA data_version').pluck(),
    lastSeq: db.prepare<[], bigint>('SELECT coalesce(max(seq), 0) FROM _events').pluck(),
  }
}

function ofAccounts(db: Database) {
  return {
    customer: db.prepare<[string], CustomerRow>(
      'SELECT id, customer, name, email, time_zone, created_at FROM _customers WHERE customer = ?',
    ),
    insertCustomer: db.prepare('INSERT INTO _customers (customer, name, email, time_zone, created_at) VALUES (?, ?, ?, ?, ?)'),
    updateCustomer: db.prepare('UPDATE _customers SET name = ?, email = ?, time_zone = ? WHERE id = ?'),
    customerIds: db.prepare<[number, number], { id: bigint; customer: string }>(
      'SELECT id, customer FROM _customers WHERE id > ? ORDER BY id LIMIT ?',
    ),

    subscription: db.prepare<[number], SubscriptionRow>(
      'SELECT * FROM _subscriptions WHERE customer_id = ? ORDER BY starts_at DESC, id DESC LIMIT 1',
    ),
    saveSubscription: db.prepare(`
      INSERT INTO _subscriptions
        (customer_id, id, plan, catalog_version, status, anchor, time_zone, starts_at, created_at, ends_at, next_moment, due_at)
      VALUES
        (:customer_id, :id, :plan, :catalog_version, :status, :anchor, :time_zone, :starts_at, :created_at, :ends_at, :next_moment, :due_at)
      ON CONFLICT (customer_id, id) DO UPDATE SET
        plan = excluded.plan, catalog_version = excluded.catalog_version, status = excluded.status, ends_at = excluded.ends_at,
        next_moment = excluded.next_moment, due_at = excluded.due_at`),
    due: db
      .prepare<[number, number], string>(`
      SELECT c.customer FROM _subscriptions s JOIN _customers c ON c.id = s.customer_id
      WHERE s.due_at <= ? ORDER BY s.due_at, s.customer_id LIMIT ?`)
      .pluck(),

    saveApiKey: db.prepare(`
      INSERT INTO _api_keys (id, customer_id, name, secret_hash, created_at, revoked_at) VALUES (?, ?, ?, ?, ?, ?)
      ON CONFLICT (id) DO UPDATE SET name = excluded.name, revoked_at = excluded.revoked_at`),
    apiKey: db.prepare<[string], ApiKeyRow>(
      'SELECT k.id, c.customer, k.name, k.secret_hash, k.created_at, k.revoked_at FROM _api_keys k JOIN _customers c ON c.id = k.customer_id WHERE k.id = ?',
    ),
    apiKeys: db.prepare<[string], ApiKeyRow>(`
      SELECT k.id, c.customer, k.name, k.secret_hash, k.created_at, k.revoked_at FROM _api_keys k JOIN _customers c ON c.id = k.customer_id
      WHERE c.customer = ? ORDER BY k.created_at, k.id`),
  }
}

function ofTotals(db: Database) {
  return {
    openTotals: db.prepare<[number], TotalRow>(`
      SELECT t.id, f.label AS feature, t.period_start, t.quantity, t.events, t.last_seq
      FROM _totals t JOIN _labels f ON f.id = t.feature_id WHERE t.customer_id = ? AND t.invoice_id IS NULL`),
    insertTotal: db.prepare(
      'INSERT INTO _totals (customer_id, feature_id, period_start, quantity, events, last_seq) VALUES (?, ?, ?, ?, ?, ?)',
    ),
    updateTotal: db
      .prepare('UPDATE _totals SET quantity = ?, events = ?, last_seq = ? WHERE id = ? AND invoice_id IS NULL')
      .safeIntegers(false),
    sealTotal: db.prepare(
      'UPDATE _totals SET invoice_id = ? WHERE customer_id = ? AND feature_id = ? AND period_start = ? AND invoice_id IS NULL',
    ),
    totals: db.prepare<[number, number], StoredTotalRow>(`
      SELECT t.id, c.customer, f.label AS feature, t.period_start, t.quantity, t.events, t.last_seq, t.invoice_id
      FROM _totals t JOIN _customers c ON c.id = t.customer_id JOIN _labels f ON f.id = t.feature_id
      WHERE t.id > ? ORDER BY t.id LIMIT ?`),
  }
}

function ofEvents(db: Database) {
  return {
    // What these run for each request gives back only counts: no bigint has to be made of them.
    insertEvent: db
      .prepare(
        'INSERT INTO _events (seq, customer_id, feature_id, quantity, at, previous, route_id, key, properties) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
      )
      .safeIntegers(false),
    insertEventKey: db.prepare('INSERT INTO _event_keys (customer_id, key, seq) VALUES (?, ?, ?)'),
    eventByKey: db.prepare<[number, string], EventRow>(
      `SELECT ${EVENT_COLUMNS} WHERE e.seq = (SELECT seq FROM _event_keys WHERE customer_id = ? AND key = ?)`,
    ),
    log: db.prepare<[number, number], EventRow>(`SELECT ${EVENT_COLUMNS} WHERE e.seq > ? ORDER BY e.seq LIMIT ?`),
    chain: db.prepare<ChainQuery, EventRow>(`
      WITH RECURSIVE chain (seq, previous) AS (
        SELECT e.seq, e.previous FROM _events e
        WHERE e.customer_id = :customer_id AND e.feature_id = :feature_id AND e.seq = iif(
          :after IS NULL,
          (SELECT last_seq FROM _totals
            WHERE customer_id = :customer_id AND feature_id = :feature_id AND period_start = :period_start),
          (SELECT previous FROM _events WHERE seq = :after AND customer_id = :customer_id AND feature_id = :feature_id))
        UNION ALL
        SELECT e.seq, e.previous FROM chain JOIN _events e ON e.seq = chain.previous
        LIMIT :limit
      )
      SELECT ${EVENT_COLUMNS.replace('FROM _events e', 'FROM chain ch JOIN _events e ON e.seq = ch.seq')} ORDER BY e.seq DESC`),
    // An event is of the total whose period is the last one that began by its instant.
    isOfTotal: db
      .prepare<TotalKey & { seq: number }, bigint>(`
        SELECT 1 FROM _events e
        WHERE e.seq = :seq AND e.customer_id = :customer_id AND e.feature_id = :feature_id AND :period_start = (
          SELECT max(period_start) FROM _totals
          WHERE customer_id = :customer_id AND feature_id = :feature_id AND period_start <= e.at)`)
      .pluck(),
    recount: db.prepare<TotalKey, { quantity: bigint; events: bigint }>(
      `${CHAIN} SELECT coalesce(sum(quantity), 0) AS quantity, count(*) AS events FROM chain`,
    ),

    label: db.prepare<[string], bigint>('SELECT id FROM _labels WHERE label = ?').pluck(),
    insertLabel: db.prepare('INSERT INTO _labels (label) VALUES (?)'),
  }
}

function ofReservations(db: Database) {
  return {
    reservations: db.prepare<[], { id: bigint; process: string; reservations: string }>(
      'SELECT id, process, reservations FROM _reservations',
    ),
    insertReservations: db.prepare('INSERT INTO _reservations (process, reservations) VALUES (?, ?)'),
    updateReservations: db.prepare('UPDATE _reservations SET reservations = ? WHERE id = ?'),
    deleteReservations: db.prepare('DELETE FROM _reservations WHERE id = ?'),
  }
}

function ofInvoices(db: Database) {
  return {
    drafts: db.prepare<[number], InvoiceRow>(
      `SELECT ${INVOICE_COLUMNS} WHERE i.customer_id = ? AND i.status = 'draft' ORDER BY i.seq`,
    ),
    saveDraft: db.prepare(`
      INSERT INTO _invoices (customer_id, id, status, document) VALUES (?, ?, 'draft', ?)
      ON CONFLICT (customer_id, id) DO UPDATE SET document = excluded.document WHERE status = 'draft'`),
    takeNumber: db
      .prepare<[string], bigint>(
        'INSERT INTO _series (series, last) VALUES (?, 1) ON CONFLICT (series) DO UPDATE SET last = last + 1 RETURNING last',
      )
      .pluck(),
    finalizeInvoice: db.prepare(
      "UPDATE _invoices SET status = ?, series = ?, number = ?, document = ? WHERE customer_id = ? AND id = ? AND status = 'draft'",
    ),
    invoices: db.prepare<[number, number], InvoiceRow>(`SELECT ${INVOICE_COLUMNS} WHERE i.seq > ? ORDER BY i.seq LIMIT ?`),
    invoicesOf: db.prepare<[string, number, number], InvoiceRow>(`
      SELECT ${INVOICE_COLUMNS} WHERE i.customer_id = (SELECT id FROM _customers WHERE customer = ?) AND i.seq > ? ORDER BY i.seq LIMIT ?`),
    invoiceById: db.prepare<[string], InvoiceRow>(`SELECT ${INVOICE_COLUMNS} WHERE i.id = ?`),
    invoiceByNumber: db.prepare<[string, number], InvoiceRow>(`SELECT ${INVOICE_COLUMNS} WHERE i.series = ? AND i.number = ?`),

    catalogs: db.prepare<[], { version: string; document: string }>('SELECT version, document FROM _catalogs ORDER BY version'),
    saveCatalog: db.prepare('INSERT INTO _catalogs (version, document) VALUES (?, ?) ON CONFLICT (version) DO NOTHING'),
  }
}
