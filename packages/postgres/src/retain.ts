/** Retention: old months leave the log, what they held is kept counted, and totals and invoices stay as they are. */

import { invalidOption } from '@farebox/core/contracts'
import type { ClientBase } from 'pg'
import { type PostgresLocation, withDatabase } from './connect.ts'
import { LOCK_CLASS } from './migrate.ts'
import type { Names } from './names.ts'
import { type Month, partitionName } from './partitions.ts'

export interface RetentionOptions extends PostgresLocation {
  /** The first month that stays, in UTC: `'2025-01'`. */
  before: string
}

/** What became of one month. */
export type RetainedMonth =
  /** Its events are gone; so many were counted for their totals. */
  | { readonly kind: 'dropped'; readonly month: string; readonly events: number }
  /** Nothing of it was touched: so many totals have events in it and no final invoice. */
  | { readonly kind: 'open'; readonly month: string; readonly openTotals: number }

/**
 * Seals and drops the months before one, oldest first. Of each total that has events in a month it keeps how much they were, so
 * that the audit still adds up; keys that callers gave keep their event, so that a repeat is still a repeat. A month with
 * events of a period that is not invoiced stays. Each month is one transaction: run again after an interruption, it goes on.
 * Throws `invalid_option`.
 */
export async function retainEvents({ before, ...location }: RetentionOptions): Promise<readonly RetainedMonth[]> {
  if (typeof before !== 'string' || !/^\d{4}-(0[1-9]|1[0-2])$/.test(before))
    throw invalidOption('retainEvents()', 'before', "a month such as '2025-01'", before)
  return withDatabase(location, async (client, names) => {
    const months = (await monthsOf(client, names)).filter((month) => month < before)
    const retained: RetainedMonth[] = []
    for (const month of months) retained.push(await retainMonth(client, names, month))
    return retained
  })
}

/** The months that have a partition, oldest first. */
async function monthsOf(client: ClientBase, names: Names): Promise<Month[]> {
  const { rows } = await client.query<{ name: string }>(
    'SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = $1::regclass',
    [names.of('events')],
  )
  return rows.map(({ name }) => name.slice(-7).replace('_', '-')).toSorted()
}

/** The total that an event is of: the rounds of a period follow one another. */
const OF_TOTAL = `t.customer = e.customer AND t.feature = e.feature AND t.period_start = e.period_start
         AND e.seq BETWEEN t.first_seq AND t.last_seq`

async function retainMonth(client: ClientBase, names: Names, month: Month): Promise<RetainedMonth> {
  const { of } = names
  const partition = `"${names.schema}"."${partitionName(names, month)}"`
  await client.query('BEGIN')
  try {
    await client.query('SELECT pg_advisory_xact_lock($1, hashtext($2))', [LOCK_CLASS, partition])
    // Who writes into this month waits from here on; who writes into another does not.
    await client.query(`LOCK TABLE ${partition} IN SHARE ROW EXCLUSIVE MODE`)
    const open = await client.query<{ count: string }>(
      `SELECT count(*) AS count FROM (
         SELECT DISTINCT e.customer, e.feature, e.period_start, t.first_seq FROM ${partition} e
         LEFT JOIN ${of('totals')} t ON ${OF_TOTAL} WHERE t.invoice_id IS NULL) AS open`,
    )
    const openTotals = Number(open.rows[0]?.count ?? 0)
    if (openTotals > 0) {
      await client.query('ROLLBACK')
      return { kind: 'open', month, openTotals }
    }
    await client.query(
      `INSERT INTO ${of('sealed')} (customer, feature, period_start, first_seq, month, quantity, events, cost, uncovered)
       SELECT e.customer, e.feature, e.period_start, t.first_seq, $1, sum(e.quantity), count(*),
         coalesce(sum((e.charge::json ->> 'cost')::numeric), 0), coalesce(sum((e.charge::json ->> 'uncovered')::numeric), 0)
       FROM ${partition} e JOIN ${of('totals')} t ON ${OF_TOTAL} GROUP BY 1, 2, 3, 4`,
      [month],
    )
    await client.query(
      `UPDATE ${of('event_keys')} k SET document = json_build_object('seq', e.seq::text, 'feature', e.feature,
         'period_start', e.period_start::text, 'quantity', e.quantity::text, 'at', e.at::text, 'route', e.route, 'properties', e.properties, 'charge', e.charge, 'corrects', e.corrects::text)
       FROM ${partition} e WHERE k.customer = e.customer AND k.key = e.key AND k.seq = e.seq`,
    )
    const { rows } = await client.query<{ count: string }>(`SELECT count(*) AS count FROM ${partition}`)
    await client.query(`DROP TABLE ${partition}`)
    await client.query('COMMIT')
    return { kind: 'dropped', month, events: Number(rows[0]?.count ?? 0) }
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {})
    throw error
  }
}
