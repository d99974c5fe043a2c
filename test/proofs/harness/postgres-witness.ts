/** Reads a PostgreSQL with raw SQL on a connection of its own: the second eye, which shares no code with the store. */

import pg from 'pg'
import type { LogFacts } from './witness.ts'

const MILLIONTHS = 1_000_000

/** One consistent look at everything: one read transaction. */
export async function readPostgresLog(url: string, schema: string): Promise<LogFacts> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(`BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL search_path TO ${schema}`)
    const events = await client.query<{ id: string; count: string }>(
      `SELECT customer || ' ' || key AS id, count(*) AS count FROM events GROUP BY 1`,
    )
    const used = await client.query<{ customer: string; units: string }>(
      'SELECT customer, sum(quantity_millionths) AS units FROM events GROUP BY 1',
    )
    const wrong = await client.query<{ count: string }>(`
      SELECT count(*) AS count FROM (SELECT customer, feature, sum(quantity_millionths) AS q, count(*) AS n FROM events GROUP BY 1, 2) log
      FULL JOIN (SELECT customer, feature, sum(quantity_millionths) AS q, sum(events) AS n FROM totals GROUP BY 1, 2) kept
        USING (customer, feature)
      WHERE log.q IS DISTINCT FROM kept.q OR log.n IS DISTINCT FROM kept.n`)
    const held = await client.query<{ id: string; units: string }>(
      `SELECT customer || ' ' || key AS id, quantity_millionths AS units FROM reservations`,
    )
    const countOf = new Map(events.rows.map(({ id, count }) => [id, Number(count)]))
    return {
      events: [...countOf.values()].reduce((sum, count) => sum + count, 0),
      countOf,
      doubled: [...countOf].filter(([, count]) => count > 1).map(([id]) => id),
      wrongTotals: Number(wrong.rows[0]?.count),
      usedBy: new Map(used.rows.map(({ customer, units }) => [customer, Number(units) / MILLIONTHS])),
      reserved: new Map(held.rows.map(({ id, units }) => [id, Number(units) / MILLIONTHS])),
    }
  } finally {
    await client.end()
  }
}
