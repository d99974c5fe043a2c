/** Every SQL statement of the store, prepared once. */

import type { Database, Statement } from 'better-sqlite3'
import { type LogStatements, logStatements, type TotalsKey } from './log-statements.ts'
import { type ManyRows, manyRows } from './many-rows.ts'
import type { ApiKeyRow, CustomerRow, InvoiceRow, RecordRow, StoredRecordRow, StoredTotalRow, TotalRow } from './rows.ts'

const INVOICE_COLUMNS = 'i.seq, i.status, i.series, i.number, i.document FROM _invoices i'

const TOTAL_COLUMNS = `
  t.id, c.customer, f.label AS feature, t.period_start, t.quantity, t.events, t.cost, t.uncovered, t.last_seq, t.invoice_id
  FROM _totals t JOIN _customers c ON c.id = t.customer_id JOIN _labels f ON f.id = t.feature_id`

/** The events of one total from a place on, newest first, by following each one's pointer to the one before. */
/** Which of the totals of a period: that of an invoice, the open one (null), or the newest. */
interface TotalKey extends TotalsKey {
  readonly is_newest: number
  readonly invoice_id: string | null
}

/** The places of a total's events: none is newer than `last_seq`, and all are newer than `before`. */
export interface TotalPlaces {
  readonly last_seq: bigint
  readonly before: bigint
}

/** Prepared once per connection. A statement without types takes what its SQL names and gives nothing back. */
export interface Statements extends LogStatements {
  readonly begin: Statement
  readonly commit: Statement
  readonly rollback: Statement
  readonly dataVersion: Statement<[], bigint>
  readonly lastSeq: Statement<[], bigint>
  readonly customer: Statement<[string], CustomerRow>
  readonly insertCustomer: Statement
  readonly updateCustomer: Statement
  readonly customerIds: Statement<[number, number], { id: bigint; customer: string }>
  readonly subscription: Statement<[number], string>
  readonly saveSubscription: Statement
  readonly openRecords: Statement<[number], RecordRow>
  readonly ownRecord: Statement<[number, string, string], RecordRow>
  readonly saveRecord: Statement
  readonly records: Statement<RecordsKey, StoredRecordRow>
  readonly openRecordsOfKind: Statement<[string, number, number], StoredRecordRow>
  readonly recordsOf: Statement<RecordsKey & { customer: string }, StoredRecordRow>
  readonly counters: Statement<[], { counter: string; taken: bigint }>
  readonly counter: Statement<[string], bigint>
  readonly takeFromCounter: Statement
  readonly due: Statement<[number, number], string>
  readonly openTotals: Statement<[number], TotalRow>
  readonly insertTotal: Statement
  /** `id`, `quantity`, `events`, `last_seq` of totals whose events cost nothing. */
  readonly updateTotals: ManyRows
  readonly updateChargedTotal: Statement
  readonly sealTotal: Statement
  readonly totals: Statement<[number, number], StoredTotalRow>
  readonly totalsOf: Statement<TotalsKey, StoredTotalRow>
  readonly totalPlaces: Statement<TotalKey, TotalPlaces>
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
  readonly collectInvoice: Statement
  readonly invoices: Statement<[number, number], InvoiceRow>
  readonly invoicesOf: Statement<[string, number, number], InvoiceRow>
  readonly ownInvoice: Statement<[number, string], InvoiceRow>
  readonly invoiceById: Statement<[string], InvoiceRow>
  readonly invoiceByNumber: Statement<[string, number], InvoiceRow>
  readonly saveApiKey: Statement
  readonly apiKey: Statement<[string], ApiKeyRow>
  readonly apiKeys: Statement<[string], ApiKeyRow>
  readonly catalogs: Statement<[], { version: string; document: string }>
  readonly saveCatalog: Statement
}

export function prepareStatements(db: Database): Statements {
  const ofAccount = { ...ofAccounts(db), ...ofRecords(db), ...ofReservations(db) }
  return { ...ofTransactions(db), ...ofAccount, ...ofTotals(db), ...logStatements(db), ...ofInvoices(db) }
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
      'SELECT id, customer, name, email, time_zone, created_at, details FROM _customers WHERE customer = ?',
    ),
    insertCustomer: db.prepare(
      'INSERT INTO _customers (customer, name, email, time_zone, created_at, details) VALUES (?, ?, ?, ?, ?, ?)',
    ),
    updateCustomer: db.prepare('UPDATE _customers SET name = ?, email = ?, time_zone = ?, details = ? WHERE id = ?'),
    customerIds: db.prepare<[number, number], { id: bigint; customer: string }>(
      'SELECT id, customer FROM _customers WHERE id > ? ORDER BY id LIMIT ?',
    ),

    subscription: db.prepare<[number], string>('SELECT document FROM _subscriptions WHERE customer_id = ?').pluck(),
    saveSubscription: db.prepare(`
      INSERT INTO _subscriptions
        (customer_id, id, plan, catalog_version, status, anchor, starts_at, ends_at, next_moment, due_at, document)
      VALUES
        (:customer_id, :id, :plan, :catalog_version, :status, :anchor, :starts_at, :ends_at, :next_moment, :due_at, :document)
      ON CONFLICT (customer_id) DO UPDATE SET
        id = excluded.id, plan = excluded.plan, catalog_version = excluded.catalog_version, status = excluded.status,
        anchor = excluded.anchor, starts_at = excluded.starts_at, ends_at = excluded.ends_at, next_moment = excluded.next_moment,
        due_at = excluded.due_at, document = excluded.document`),
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

/** One page of a kind. `is_open` is null where both are asked for. */
interface RecordsKey {
  readonly kind: string
  readonly is_open: number | null
  readonly after: number
  readonly limit: number
}

function ofRecords(db: Database) {
  const columns =
    'r.place, c.customer, r.kind, r.id, r.is_open, r.document FROM _records r JOIN _customers c ON c.id = r.customer_id'
  const page = 'r.kind = :kind AND r.place > :after AND (:is_open IS NULL OR r.is_open = :is_open) ORDER BY r.place LIMIT :limit'
  return {
    openRecords: db.prepare<[number], RecordRow>(
      'SELECT place, kind, id, is_open, document FROM _records WHERE customer_id = ? AND is_open = 1 ORDER BY place',
    ),
    ownRecord: db.prepare<[number, string, string], RecordRow>(
      'SELECT place, kind, id, is_open, document FROM _records WHERE customer_id = ? AND kind = ? AND id = ?',
    ),
    saveRecord: db.prepare(`
      INSERT INTO _records (customer_id, kind, id, is_open, document) VALUES (?, ?, ?, ?, ?)
      ON CONFLICT (customer_id, kind, id) DO UPDATE SET is_open = excluded.is_open, document = excluded.document`),
    records: db.prepare<RecordsKey, StoredRecordRow>(`SELECT ${columns} WHERE ${page}`),
    // Its condition is that of an index: those that are closed are not looked at, however many they are.
    openRecordsOfKind: db.prepare<[string, number, number], StoredRecordRow>(
      `SELECT ${columns} WHERE r.kind = ? AND r.is_open = 1 AND r.place > ? ORDER BY r.place LIMIT ?`,
    ),
    recordsOf: db.prepare<RecordsKey & { customer: string }, StoredRecordRow>(
      `SELECT ${columns} WHERE r.customer_id = (SELECT id FROM _customers WHERE customer = :customer) AND ${page}`,
    ),

    counters: db.prepare<[], { counter: string; taken: bigint }>('SELECT counter, taken FROM _counters ORDER BY counter'),
    counter: db.prepare<[string], bigint>('SELECT taken FROM _counters WHERE counter = ?').pluck(),
    takeFromCounter: db.prepare(
      'INSERT INTO _counters (counter, taken) VALUES (?, 1) ON CONFLICT (counter) DO UPDATE SET taken = taken + 1',
    ),
  }
}

function updateTotals(rows: string): string {
  return `UPDATE _totals SET quantity = v.column2, events = v.column3, last_seq = v.column4 FROM (VALUES ${rows}) v WHERE id = v.column1 AND invoice_id IS NULL`
}

function ofTotals(db: Database) {
  return {
    label: db.prepare<[string], bigint>('SELECT id FROM _labels WHERE label = ?').pluck(),
    insertLabel: db.prepare('INSERT INTO _labels (label) VALUES (?)'),
    openTotals: db.prepare<[number], TotalRow>(`
      SELECT t.id, f.label AS feature, t.period_start, t.quantity, t.events, t.cost, t.uncovered, t.last_seq
      FROM _totals t JOIN _labels f ON f.id = t.feature_id WHERE t.customer_id = ? AND t.invoice_id IS NULL ORDER BY t.id`),
    // What comes after an invoice is the next round of its period.
    insertTotal: db.prepare(`
      INSERT INTO _totals (customer_id, feature_id, period_start, round, quantity, events, cost, uncovered, last_seq)
      VALUES (:customer_id, :feature_id, :period_start, (
        SELECT count(*) FROM _totals
        WHERE customer_id = :customer_id AND feature_id = :feature_id AND period_start = :period_start
      ), :quantity, :events, :cost, :uncovered, :last_seq)`),
    updateTotals: manyRows(db, 4, updateTotals),
    updateChargedTotal: db.prepare(
      'UPDATE _totals SET quantity = ?, events = ?, last_seq = ?, cost = ?, uncovered = ? WHERE id = ? AND invoice_id IS NULL',
    ),
    sealTotal: db.prepare(
      'UPDATE _totals SET invoice_id = ? WHERE customer_id = ? AND feature_id = ? AND period_start = ? AND invoice_id IS NULL',
    ),
    totals: db.prepare<[number, number], StoredTotalRow>(`SELECT ${TOTAL_COLUMNS} WHERE t.id > ? ORDER BY t.id LIMIT ?`),
    totalsOf: db.prepare<TotalsKey, StoredTotalRow>(`
      SELECT ${TOTAL_COLUMNS}
      WHERE t.customer_id = :customer_id AND t.feature_id = :feature_id AND t.period_start = :period_start ORDER BY t.round`),
    totalPlaces: db.prepare<TotalKey, TotalPlaces>(`
      SELECT t.last_seq, coalesce((
        SELECT last_seq FROM _totals b
        WHERE b.customer_id = t.customer_id AND b.feature_id = t.feature_id AND b.period_start = t.period_start
          AND b.round = t.round - 1), 0) AS before
      FROM _totals t
      WHERE t.customer_id = :customer_id AND t.feature_id = :feature_id AND t.period_start = :period_start
        AND (:is_newest OR t.invoice_id IS :invoice_id)
      ORDER BY t.round DESC LIMIT 1`),
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
    collectInvoice: db.prepare("UPDATE _invoices SET status = ? WHERE customer_id = ? AND id = ? AND status <> 'draft'"),
    finalizeInvoice: db.prepare(
      "UPDATE _invoices SET status = ?, series = ?, number = ?, document = ? WHERE customer_id = ? AND id = ? AND status = 'draft'",
    ),
    invoices: db.prepare<[number, number], InvoiceRow>(`SELECT ${INVOICE_COLUMNS} WHERE i.seq > ? ORDER BY i.seq LIMIT ?`),
    invoicesOf: db.prepare<[string, number, number], InvoiceRow>(`
      SELECT ${INVOICE_COLUMNS} WHERE i.customer_id = (SELECT id FROM _customers WHERE customer = ?) AND i.seq > ? ORDER BY i.seq LIMIT ?`),
    ownInvoice: db.prepare<[number, string], InvoiceRow>(`SELECT ${INVOICE_COLUMNS} WHERE i.customer_id = ? AND i.id = ?`),
    invoiceById: db.prepare<[string], InvoiceRow>(`SELECT ${INVOICE_COLUMNS} WHERE i.id = ?`),
    invoiceByNumber: db.prepare<[string, number], InvoiceRow>(`SELECT ${INVOICE_COLUMNS} WHERE i.series = ? AND i.number = ?`),

    catalogs: db.prepare<[], { version: string; document: string }>('SELECT version, document FROM _catalogs ORDER BY version'),
    saveCatalog: db.prepare('INSERT INTO _catalogs (version, document) VALUES (?, ?) ON CONFLICT (version) DO NOTHING'),
  }
}
