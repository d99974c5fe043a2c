/** Facts about a database, for `farebox doctor`: looked at without changing anything. */

import { FareboxError, systemClock } from '@farebox/core/contracts'
import { type PostgresLocation, withDatabase } from './connect.ts'
import { MIGRATIONS } from './migrate.ts'
import { readServerFacts, type ServerFacts, unsafeSettings } from './server.ts'

export interface PostgresInspection {
  readonly server: ServerFacts
  /** Settings under which a crash may lose or tear what was acknowledged; empty where there is none. */
  readonly unsafe: readonly string[]
  /** Numbers of the newest migration that the schema has and that this program knows. */
  readonly schema: { readonly found: number; readonly known: number }
  /** As the statistics of the server have it; exact after `ANALYZE`. */
  readonly events: number
  /** Months that have a partition, oldest first. */
  readonly months: readonly string[]
  readonly processes: readonly ProcessReservations[]
}

/** The pending reservations of one process. */
export interface ProcessReservations {
  readonly process: string
  /** When it was last heard of, by the server's clock: epoch milliseconds; null when it left or was never there. */
  readonly seenAt: number | null
  readonly reservations: number
}

/** Throws `not_found` when the schema has no tables of Farebox's, `store_unavailable` where the server cannot be reached. */
export async function inspectPostgres(location: PostgresLocation): Promise<PostgresInspection> {
  return withDatabase(location, async (client, names) => {
    const server = await readServerFacts(client, systemClock.now)
    const { rows: tables } = await client.query<{ oid: string | null }>('SELECT to_regclass($1) AS oid', [names.of('migrations')])
    if (tables[0]?.oid === null)
      throw new FareboxError(
        'not_found',
        `There are no tables of Farebox in the schema ${names.schema}: start Farebox on it once`,
        {
          fields: { schema: names.schema },
        },
      )
    const { rows: migrations } = await client.query<{ found: number }>(
      `SELECT coalesce(max(number), 0) AS found FROM ${names.of('migrations')}`,
    )
    const { rows: partitions } = await client.query<{ name: string; events: string }>(
      `SELECT c.relname AS name, greatest(c.reltuples, 0)::bigint AS events FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
       WHERE i.inhparent = $1::regclass ORDER BY 1`,
      [names.of('events')],
    )
    const { rows: processes } = await client.query<{ process: string; seen_at: string | null; reservations: string }>(
      `SELECT r.process, (extract(epoch FROM max(l.seen_at)) * 1000)::bigint AS seen_at, count(DISTINCT (r.customer, r.key)) AS reservations
       FROM ${names.of('reservations')} r LEFT JOIN ${names.of('lanes')} l USING (process) GROUP BY r.process ORDER BY r.process`,
    )
    return {
      server,
      unsafe: unsafeSettings(server, 'full'),
      schema: { found: migrations[0]?.found ?? 0, known: Math.max(...MIGRATIONS.map(({ number }) => number)) },
      events: partitions.reduce((sum, { events }) => sum + Number(events), 0),
      months: partitions.map(({ name }) => name.slice(-7).replace('_', '-')),
      processes: processes.map(({ process, seen_at, reservations }) => ({
        process,
        seenAt: seen_at === null ? null : Number(seen_at),
        reservations: Number(reservations),
      })),
    }
  })
}
