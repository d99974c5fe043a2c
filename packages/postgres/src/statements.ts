/** Every statement of the lanes, as text; a name where it is run often enough to be prepared. */

import type { PostgresSettings } from './options.ts'
import type { Command } from './link.ts'
import type { Names } from './names.ts'

/** Makes a command of its values. */
export type Prepared = (...values: readonly unknown[]) => Command

/** Every statement by what it does. */
export interface Statements extends Record<PreparedName, Prepared> {
  readonly begin: Command
  /** Settings of the transaction, after its beginning. */
  readonly set: Command
  readonly commit: Command
  /** For a transaction that wrote nothing which has to last. */
  readonly commitUnsynced: Command
  readonly rollback: Command
}

type PreparedName =
  | 'mark'
  | 'marked'
  | 'touch'
  | 'leave'
  | 'addAccounts'
  | 'lock'
  | 'subscriptions'
  | 'openRecords'
  | 'openTotals'
  | 'reservations'
  | 'drafts'
  | 'known'
  | 'knownPlaces'
  | 'knownInvoices'
  | 'knownRecords'
  | 'saveAccounts'
  | 'checkAccounts'
  | 'saveCustomer'
  | 'saveSubscription'
  | 'saveApiKey'
  | 'reserve'
  | 'release'
  | 'append'
  | 'keepKeys'
  | 'addTotals'
  | 'saveTotals'
  | 'saveRecords'
  | 'take'
  | 'saveDraft'
  | 'finalize'
  | 'seal'
  | 'collect'

/** An open transaction may stay idle so long before the server ends it: a client that vanished must not hold its accounts. */
const IDLE_LIMIT_MS = 10_000

/**
 * Every statement finds its few rows by a key. A plan that was made while the tables were new and empty would read them whole for
 * as long as it is kept: measured with 10,000 new customers, that took fifteen times as long. Where only rows cost anything, a
 * key is the cheapest way to them as soon as the server takes the table for one of two rows.
 */
const PLAN_SETTINGS = {
  enable_seqscan: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
  random_page_cost: '0',
  seq_page_cost: '0',
  cpu_operator_cost: '0',
}

const ACCOUNT = 'customer, version, last_seq, name, email, time_zone, created_at, details'
const EVENT = 'e.seq, e.feature, e.period_start, e.quantity, e.at, e.route, e.properties, e.charge, e.corrects'

export function createStatements(names: Names, { durability, timeoutMs, prepare }: PostgresSettings): Statements {
  const settings = {
    lock_timeout: String(timeoutMs),
    idle_in_transaction_session_timeout: String(IDLE_LIMIT_MS),
    ...PLAN_SETTINGS,
    ...(durability === 'process' ? { synchronous_commit: 'off' } : {}),
  }
  const named: Naming = (name, text) => {
    const statement = prepare ? { name: `farebox_${name}`, text } : { text }
    return (...values) => ({ ...statement, values })
  }
  return {
    begin: { text: 'BEGIN ISOLATION LEVEL READ COMMITTED' },
    // Together, for a statement costs more than a setting.
    set: named(
      'set',
      `SELECT ${Object.entries(settings)
        .map(([name, value]) => `set_config('${name}', '${value}', true)`)
        .join(', ')}`,
    )(),
    commit: { text: 'COMMIT' },
    commitUnsynced: { text: 'SET LOCAL synchronous_commit = off; COMMIT' },
    rollback: { text: 'ROLLBACK' },
    ...ofLanes(names, named),
    ...ofStates(names, named),
    ...ofAccounts(names, named),
    ...ofLog(names, named),
    ...ofInvoices(names, named),
  }
}

type Naming = (name: string, text: string) => Prepared
type Some<Name extends PreparedName> = Pick<Statements, Name>

function ofLanes({ of }: Names, named: Naming): Some<'mark' | 'marked' | 'touch' | 'leave'> {
  return {
    // First of all in its transaction and held to its end: who wants to know what became of a batch waits for it.
    mark: named(
      'mark',
      `INSERT INTO ${of('lanes')} AS l (process, lane, batch, seen_at) VALUES ($1, $2, $3, clock_timestamp())
       ON CONFLICT (process, lane) DO UPDATE SET batch = excluded.batch, seen_at = excluded.seen_at`,
    ),
    marked: named('marked', `SELECT batch FROM ${of('lanes')} WHERE process = $1 AND lane = $2 FOR UPDATE`),
    touch: named(
      'touch',
      `INSERT INTO ${of('lanes')} AS l (process, lane, batch, seen_at) VALUES ($1, $2, 0, clock_timestamp())
       ON CONFLICT (process, lane) DO UPDATE SET seen_at = excluded.seen_at`,
    ),
    leave: named('leave', `DELETE FROM ${of('lanes')} WHERE process = $1 AND lane = $2`),
  }
}

function ofStates(
  { of }: Names,
  named: Naming,
): Some<
  | 'addAccounts'
  | 'lock'
  | 'subscriptions'
  | 'openRecords'
  | 'openTotals'
  | 'reservations'
  | 'drafts'
  | 'known'
  | 'knownPlaces'
  | 'knownInvoices'
  | 'knownRecords'
> {
  return {
    addAccounts: named('add', `INSERT INTO ${of('accounts')} (customer) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING`),
    // Every process locks in this one order.
    lock: named(
      'lock',
      `SELECT ${ACCOUNT} FROM ${of('accounts')} WHERE customer = ANY ($1::text[]) ORDER BY customer FOR NO KEY UPDATE`,
    ),
    subscriptions: named(
      'subscriptions',
      `SELECT customer, document FROM ${of('subscriptions')} WHERE customer = ANY ($1::text[])`,
    ),
    openRecords: named(
      'open_records',
      `SELECT * FROM ${of('records')} WHERE customer = ANY ($1::text[]) AND is_open ORDER BY customer, place`,
    ),
    openTotals: named(
      'open_totals',
      `SELECT * FROM ${of('totals')} WHERE customer = ANY ($1::text[]) AND invoice_id IS NULL ORDER BY customer, first_seq`,
    ),
    reservations: named(
      'reservations',
      `SELECT customer, key, feature, quantity, at, route, period_start, charge, usage FROM ${of('reservations')} WHERE customer = ANY ($1::text[])`,
    ),
    drafts: named(
      'drafts',
      `SELECT * FROM ${of('invoices')} WHERE customer = ANY ($1::text[]) AND status = 'draft' ORDER BY place`,
    ),
    known: named(
      'known',
      `SELECT k.customer, k.key, k.document, ${EVENT}
       FROM unnest($1::text[], $2::text[]) AS asked (customer, key)
       JOIN ${of('event_keys')} k ON k.customer = asked.customer AND k.key = asked.key
       LEFT JOIN ${of('events')} e ON e.customer = k.customer AND e.seq = k.seq AND e.at = k.at`,
    ),
    knownPlaces: named(
      'known_places',
      `SELECT e.customer, e.key, ${EVENT} FROM unnest($1::text[], $2::bigint[]) AS asked (customer, seq)
       JOIN ${of('events')} e ON e.customer = asked.customer AND e.seq = asked.seq`,
    ),
    knownInvoices: named(
      'known_invoices',
      `SELECT i.* FROM unnest($1::text[], $2::text[]) AS asked (customer, id)
       JOIN ${of('invoices')} i ON i.customer = asked.customer AND i.id = asked.id`,
    ),
    knownRecords: named(
      'known_records',
      `SELECT r.* FROM unnest($1::text[], $2::text[], $3::text[]) AS asked (customer, kind, id)
       JOIN ${of('records')} r ON r.customer = asked.customer AND r.kind = asked.kind AND r.id = asked.id`,
    ),
  }
}

function ofAccounts(
  { of }: Names,
  named: Naming,
): Some<'saveAccounts' | 'checkAccounts' | 'saveCustomer' | 'saveSubscription' | 'saveApiKey'> {
  return {
    // Locks in the order of its arrays. What was decided from memory counts only where nobody else changed the account since:
    // a row too few divides by zero, which ends the transaction before its commit.
    saveAccounts: named(
      'save_accounts',
      `WITH saved AS (
         UPDATE ${of('accounts')} a SET version = a.version + 1, last_seq = v.last_seq
         FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS v (customer, version, last_seq)
         WHERE a.customer = v.customer AND a.version = v.version RETURNING 1
       )
       SELECT 1 / (count(*) = cardinality($1))::integer FROM saved`,
    ),
    checkAccounts: named(
      'check_accounts',
      `SELECT 1 / (count(*) = cardinality($1))::integer FROM unnest($1::text[], $2::bigint[]) AS v (customer, version)
       JOIN ${of('accounts')} a ON a.customer = v.customer AND a.version = v.version`,
    ),
    saveCustomer: named(
      'save_customer',
      `UPDATE ${of('accounts')} SET name = $2, email = $3, time_zone = $4, created_at = coalesce(created_at, $5::bigint), details = $6,
         place = coalesce(place, nextval('${of('places')}')) WHERE customer = $1`,
    ),
    saveSubscription: named(
      'save_subscription',
      `INSERT INTO ${of('subscriptions')}
         (customer, id, plan, catalog_version, status, anchor, starts_at, ends_at, next_moment, due_at, document, place)
       SELECT customer, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, place FROM ${of('accounts')} WHERE customer = $1
       ON CONFLICT (customer) DO UPDATE SET id = excluded.id, plan = excluded.plan, catalog_version = excluded.catalog_version,
         status = excluded.status, anchor = excluded.anchor, starts_at = excluded.starts_at, ends_at = excluded.ends_at,
         next_moment = excluded.next_moment, due_at = excluded.due_at, document = excluded.document`,
    ),
    saveApiKey: named(
      'save_api_key',
      `INSERT INTO ${of('api_keys')} (customer, id, name, secret_hash, created_at, revoked_at) VALUES ($1, $2, $3, $4, $5, $6)
       ON CONFLICT (customer, id) DO UPDATE SET name = excluded.name, revoked_at = excluded.revoked_at`,
    ),
  }
}

function ofLog(
  { of }: Names,
  named: Naming,
): Some<'reserve' | 'release' | 'append' | 'keepKeys' | 'addTotals' | 'saveTotals' | 'saveRecords' | 'take'> {
  return {
    reserve: named(
      'reserve',
      `INSERT INTO ${of('reservations')} (process, customer, key, feature, quantity, at, route, period_start, charge, usage)
       SELECT $1, * FROM unnest($2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::text[], $8::bigint[], $9::text[], $10::json[])`,
    ),
    // No join: where nothing is pending now, the server takes the table for empty, and would read all that is dead in it each time.
    release: named(
      'release',
      `DELETE FROM ${of('reservations')} WHERE customer = ANY ($1::text[]) AND customer || E'\\n' || key = ANY ($2::text[])`,
    ),
    append: named(
      'append',
      `INSERT INTO ${of('events')} (customer, seq, feature, period_start, quantity, at, route, key, properties, charge, corrects)
       SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[], $8::text[],
         $9::json[], $10::text[], $11::bigint[])`,
    ),
    keepKeys: named(
      'keep_keys',
      `INSERT INTO ${of('event_keys')} (customer, key, seq, at) SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[])`,
    ),
    // The first of a period, or the next after an invoice.
    addTotals: named(
      'add_totals',
      `INSERT INTO ${of('totals')} (customer, feature, period_start, quantity, events, cost, uncovered, last_seq, first_seq)
       SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::text[], $8::bigint[], $9::bigint[])`,
    ),
    saveTotals: named(
      'save_totals',
      `WITH saved AS (
         UPDATE ${of('totals')} t
         SET quantity = v.quantity, events = v.events, cost = v.cost, uncovered = v.uncovered, last_seq = v.last_seq
         FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::text[], $8::bigint[])
           AS v (customer, feature, period_start, quantity, events, cost, uncovered, last_seq)
         WHERE t.customer = v.customer AND t.feature = v.feature AND t.period_start = v.period_start AND t.invoice_id IS NULL
         RETURNING 1
       )
       SELECT 1 / (count(*) = cardinality($1))::integer FROM saved`,
    ),
    saveRecords: named(
      'save_records',
      `INSERT INTO ${of('records')} (customer, kind, id, is_open, document)
       SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::boolean[], $5::text[])
       ON CONFLICT (customer, kind, id) DO UPDATE SET is_open = excluded.is_open, document = excluded.document`,
    ),
    take: named(
      'take',
      `INSERT INTO ${of('counters')} AS c (counter, taken) SELECT $1, 1 WHERE $2::bigint > 0
       ON CONFLICT (counter) DO UPDATE SET taken = c.taken + 1 WHERE c.taken < $2::bigint`,
    ),
  }
}

function ofInvoices({ of }: Names, named: Naming): Some<'saveDraft' | 'finalize' | 'seal' | 'collect'> {
  return {
    // That a draft has no number is the table's own rule: a final invoice refuses to become one.
    saveDraft: named(
      'save_draft',
      `INSERT INTO ${of('invoices')} (customer, id, status, document) VALUES ($1, $2, 'draft', $3)
       ON CONFLICT (customer, id) DO UPDATE SET document = excluded.document, status = 'draft'`,
    ),
    // The number is taken in the statement that uses it: there is none without an invoice.
    finalize: named(
      'finalize',
      `WITH taken AS (
         INSERT INTO ${of('series')} AS s (series, last) VALUES ($4, 1) ON CONFLICT (series) DO UPDATE SET last = s.last + 1
         RETURNING last
       )
       UPDATE ${of('invoices')} SET status = $3, series = $4, number = taken.last, document = $5
       FROM taken WHERE customer = $1 AND id = $2 AND status = 'draft'`,
    ),
    collect: named('collect', `UPDATE ${of('invoices')} SET status = $3 WHERE customer = $1 AND id = $2 AND number IS NOT NULL`),
    seal: named(
      'seal',
      `UPDATE ${of('totals')} SET invoice_id = $4 WHERE customer = $1 AND feature = $2 AND period_start = $3 AND invoice_id IS NULL`,
    ),
  }
}
