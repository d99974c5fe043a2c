/** What `postgres()` takes, checked. */

import { invalidOption, refuseOtherWords, refuseUnknownOptions } from '@farebox/core/contracts'

export interface PostgresOptions {
  /** Where the database is: `'postgres://user:password@host:5432/database'`. */
  connectionString: string
  /** The schema that holds the tables; made when it is not there. Default `'farebox'`. */
  schema?: string
  /** What the names of tables and views begin with. Default: nothing. */
  prefix?: string
  /** How many connections write; each account is written by one of them. Two more read. Default 2. */
  connections?: number
  /** `full` (the default): what was acknowledged survives a crash of the server. `process`: a crash of the server may lose the last of it. */
  durability?: 'full' | 'process'
  /** How many hot accounts are kept in memory. Changes cost, never meaning. Default 50,000; 0 keeps none. */
  cacheSize?: number
  /** How long a change may wait for the database before it is refused, in milliseconds. Default 2,000. */
  timeoutMs?: number
  /** How long a process may not be heard of before it counts as dead and its reservations are resolved, in milliseconds. Default 30,000. */
  deadAfterMs?: number
  /** Whether statements are prepared by name. `false` for poolers that cannot, such as PgBouncer before 1.21. Default true. */
  prepare?: boolean
  /** Starts also where the server's settings may lose what was acknowledged. Default false. */
  allowUnsafe?: boolean
}

export type PostgresSettings = Required<PostgresOptions>

const NAMES = [
  'connectionString',
  'schema',
  'prefix',
  'connections',
  'durability',
  'cacheSize',
  'timeoutMs',
  'deadAfterMs',
  'prepare',
  'allowUnsafe',
]

/** A name that needs no quotes, short enough for every name that is made of it (PostgreSQL cuts names at 63 bytes). */
const NAME = /^[a-z_][a-z0-9_]{0,29}$/
const MOST_CONNECTIONS = 64

/** The options with their defaults. Throws `invalid_option`; a connection string is never shown. */
export function checkPostgresOptions(options: PostgresOptions): PostgresSettings {
  const where = 'postgres()'
  if (typeof options !== 'object' || options === null)
    throw invalidOption(where, 'the argument', 'an object with connectionString', options)
  refuseUnknownOptions(where, options, NAMES)
  const { connectionString, schema = 'farebox', prefix = '', connections = 2, durability = 'full' } = options
  const { cacheSize = 50_000, timeoutMs = 2_000, deadAfterMs = 30_000, prepare = true, allowUnsafe = false } = options
  if (typeof connectionString !== 'string' || !/^postgres(ql)?:\/\//.test(connectionString))
    throw invalidOption(where, 'connectionString', "a text such as 'postgres://user@host:5432/database'", 'something else')
  if (typeof schema !== 'string' || !NAME.test(schema))
    throw invalidOption(where, 'schema', 'a lower-case name of at most 30 characters', schema)
  if (typeof prefix !== 'string' || (prefix !== '' && !NAME.test(prefix)))
    throw invalidOption(where, 'prefix', 'the beginning of a lower-case name of at most 30 characters', prefix)
  refuseOtherWords(where, 'durability', durability, ['full', 'process'])
  refuseOtherThanCount(where, 'connections', connections, 1, MOST_CONNECTIONS)
  refuseOtherThanCount(where, 'cacheSize', cacheSize, 0)
  refuseOtherThanCount(where, 'timeoutMs', timeoutMs, 1)
  refuseOtherThanCount(where, 'deadAfterMs', deadAfterMs, 1)
  for (const [name, value] of Object.entries({ prepare, allowUnsafe }))
    if (typeof value !== 'boolean') throw invalidOption(where, name, 'true or false', value)
  return {
    connectionString,
    schema,
    prefix,
    connections,
    durability,
    cacheSize,
    timeoutMs,
    deadAfterMs,
    prepare,
    allowUnsafe,
  }
}

function refuseOtherThanCount(where: string, name: string, value: unknown, least: number, most = 2 ** 31 - 1): void {
  if (Number.isSafeInteger(value) && Number(value) >= least && Number(value) <= most) return
  throw invalidOption(where, name, `a whole number from ${least} to ${most}`, value)
}
