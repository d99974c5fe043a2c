/** The monthly partitions of the event log: made ahead of time, and when an event of another month comes. */

import { formatInstant } from '@farebox/core/contracts'
import type { ClientBase } from 'pg'
import { LOCK_CLASS } from './migrate.ts'
import type { Names } from './names.ts'

/** How many months beyond the current one are ready. */
const MONTHS_AHEAD = 2

export interface Partitions {
  /** The months of the instants that have no partition as far as this process knows. */
  missing(instants: readonly number[]): ReadonlySet<Month>
  /** Makes them, in transactions of their own. Nobody who writes waits for it. */
  make(client: ClientBase, months: Iterable<Month>): Promise<void>
  /** Forgets what it knew: a partition may have been dropped since. */
  forget(): void
}

/** A month in UTC, such as `2026-01`. */
export type Month = string

export function createPartitions(names: Names): Partitions {
  const known = new Set<Month>()
  /** Of the month that was asked for last: nearly always it is asked for again. */
  let [from, to] = [0, 0]

  return { missing, make, forget }

  function missing(instants: readonly number[]): Set<Month> {
    const months = new Set<Month>()
    for (const at of instants) {
      if (at >= from && at < to) continue
      const month = monthOf(at)
      if (known.has(month)) [from, to] = boundsOf(month)
      else months.add(month)
    }
    return months
  }

  async function make(client: ClientBase, months: Iterable<Month>): Promise<void> {
    for (const month of months) {
      await makePartition(client, names, month)
      known.add(month)
    }
  }

  function forget(): void {
    known.clear()
    ;[from, to] = [0, 0]
  }
}

export function monthOf(at: number): Month {
  return formatInstant(at).slice(0, 7)
}

/** The month that comes so many months after another. */
export function monthAfter(month: Month, count: number): Month {
  const [year = 0, number = 0] = month.split('-').map(Number)
  return monthOf(Date.UTC(year, number - 1 + count))
}

/** [start, end) in epoch milliseconds. */
export function boundsOf(month: Month): readonly [start: number, end: number] {
  const [year = 0, number = 0] = month.split('-').map(Number)
  return [Date.UTC(year, number - 1), Date.UTC(year, number)]
}

/** The current month and those that are made ahead of time. */
export function monthsAhead(now: number): Month[] {
  const current = monthOf(now)
  return Array.from({ length: MONTHS_AHEAD + 1 }, (_, i) => monthAfter(current, i))
}

/** The partition's name without the schema. */
export function partitionName(names: Names, month: Month): string {
  return names.bare(`events_${month.replace('-', '_')}`)
}

/** Attaching a table that was made apart takes a lock that no writer waits for; making it in its place would take one that all do. */
async function makePartition(client: ClientBase, names: Names, month: Month): Promise<void> {
  const parent = names.of('events')
  const name = partitionName(names, month)
  const table = `"${names.schema}"."${name}"`
  const [start, end] = boundsOf(month)
  await client.query('BEGIN')
  try {
    await client.query('SELECT pg_advisory_xact_lock($1, hashtext($2))', [LOCK_CLASS, table])
    const { rows } = await client.query('SELECT 1 FROM pg_inherits WHERE inhrelid = to_regclass($1)', [table])
    if (rows.length === 0) {
      await client.query(`CREATE TABLE ${table} (LIKE ${parent} INCLUDING ALL)`)
      await client.query(`ALTER TABLE ${parent} ATTACH PARTITION ${table} FOR VALUES FROM (${start}) TO (${end})`)
    }
    await client.query('COMMIT')
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {})
    throw error
  }
}
