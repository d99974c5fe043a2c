/** `farebox doctor` on PostgreSQL: the server's settings, the tables, and what is wrong with each. */

import { formatInstant } from '@farebox/core'
import type { PostgresInspection } from '@farebox/postgres'
import { type Finding, nodeFinding, schemaFinding } from '../doctor/findings.ts'
import { loadPostgres, locationOf } from './load.ts'

/** Periods are decided by the application's clock and expiry by the server's: further apart than this somebody will wonder. */
const MAX_SKEW_MS = 2_000

/** Looks at the server and the schema; rejects with `not_found`, `store_unavailable` or `invalid_option`. */
export async function examinePostgres(database: string): Promise<Finding[]> {
  const { inspectPostgres } = await loadPostgres()
  return findingsOf(await inspectPostgres(locationOf(database)))
}

function findingsOf({ server, unsafe, schema, events, months, processes }: PostgresInspection): Finding[] {
  const skew = Math.abs(server.clockSkewMs)
  return [
    nodeFinding(process.versions.node),
    { what: 'PostgreSQL', value: server.version, problem: null },
    schemaFinding(schema),
    {
      what: 'durability',
      value: `synchronous_commit ${server.synchronousCommit}, fsync ${onOff(server.fsync)}, full_page_writes ${onOff(server.fullPageWrites)}`,
      problem: unsafe.length === 0 ? null : `a crash may lose what was acknowledged: change ${unsafe.join(', ')}`,
    },
    {
      what: 'standbys',
      value: server.synchronousStandbys === '' ? 'none has to confirm a commit' : server.synchronousStandbys,
      problem: null,
    },
    {
      what: 'clock',
      value: `${server.clockSkewMs} ms ahead of the server's`,
      problem: skew <= MAX_SKEW_MS ? null : 'set both clocks by NTP',
    },
    { what: 'events', value: `about ${events.toLocaleString('en-US')}`, problem: null },
    { what: 'months', value: months.length === 0 ? 'none' : `${months[0] ?? ''} to ${months.at(-1) ?? ''}`, problem: null },
    ...processes.map(({ process: name, seenAt, reservations }) => ({
      what: 'reservations',
      value: `${reservations} of ${name}, heard of ${seenAt === null ? 'never, or it has left' : `at ${formatInstant(seenAt)}`}`,
      problem: null,
    })),
  ]
}

function onOff(isOn: boolean): string {
  return isOn ? 'on' : 'off'
}
