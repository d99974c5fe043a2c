/** What a server must be for its acknowledgements to count, looked at when the store opens and by `farebox doctor`. */

import { FareboxError } from '@farebox/core/contracts'
import type { ClientBase } from 'pg'

/** Settings and facts of a server. */
export interface ServerFacts {
  /** As `SHOW server_version` has it. */
  readonly version: string
  readonly major: number
  readonly synchronousCommit: string
  readonly fsync: boolean
  readonly fullPageWrites: boolean
  /** Names that must confirm a commit before it is acknowledged; empty where no standby has to. */
  readonly synchronousStandbys: string
  /** How far this machine's clock is ahead of the server's, in milliseconds; as exact as half a round trip. */
  readonly clockSkewMs: number
}

/** The oldest version that the project of PostgreSQL maintains when this was written. Source: postgresql.org/support/versioning. */
const OLDEST_MAJOR = 14

/** More than this is worth a word: periods are decided by the application's clock, expiry by the server's. */
export const SKEW_LIMIT_MS = 2_000

/** `now` reads this machine's clock: epoch milliseconds. */
export async function readServerFacts(client: ClientBase, now: () => number): Promise<ServerFacts> {
  const before = now()
  const { rows } = await client.query<{
    version: string
    number: string
    synchronous_commit: string
    fsync: string
    full_page_writes: string
    standbys: string
    now: string
  }>(`SELECT current_setting('server_version') AS version, current_setting('server_version_num') AS number,
       current_setting('synchronous_commit') AS synchronous_commit, current_setting('fsync') AS fsync,
       current_setting('full_page_writes') AS full_page_writes, current_setting('synchronous_standby_names') AS standbys,
       (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now`)
  const middle = (before + now()) / 2
  const [row] = rows
  if (row === undefined) throw new FareboxError('store_unsupported', 'Expected a PostgreSQL server, got one without settings')
  return {
    version: row.version,
    major: Math.floor(Number(row.number) / 10_000),
    synchronousCommit: row.synchronous_commit,
    fsync: row.fsync === 'on',
    fullPageWrites: row.full_page_writes === 'on',
    synchronousStandbys: row.standbys,
    clockSkewMs: Math.round(middle - Number(row.now)),
  }
}

/** Throws `store_unsupported` for a version that is too old, and `store_unsafe` for settings that may lose what was acknowledged. */
export function refuseUnfit(
  facts: ServerFacts,
  { durability, allowUnsafe }: { readonly durability: 'full' | 'process'; readonly allowUnsafe: boolean },
): void {
  const { version, major } = facts
  if (major < OLDEST_MAJOR)
    throw new FareboxError(
      'store_unsupported',
      `Expected PostgreSQL ${OLDEST_MAJOR} or newer, got ${version}: update the server`,
      {
        fields: { version },
      },
    )
  const unsafe = unsafeSettings(facts, durability)
  if (unsafe.length === 0 || allowUnsafe) return
  throw new FareboxError(
    'store_unsafe',
    `Expected a server that keeps what it acknowledged, got ${unsafe.join(', ')}: change the setting, or give postgres() allowUnsafe: true and lose events when the server crashes`,
    { fields: { settings: unsafe } },
  )
}

/** The settings under which a crash may lose or tear what was acknowledged. `process` asks for the first of them itself. */
export function unsafeSettings(facts: ServerFacts, durability: 'full' | 'process'): string[] {
  return [
    ...(facts.synchronousCommit === 'off' && durability === 'full' ? ['synchronous_commit = off'] : []),
    ...(facts.fsync ? [] : ['fsync = off']),
    ...(facts.fullPageWrites ? [] : ['full_page_writes = off']),
  ]
}
