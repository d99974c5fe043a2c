/** What `sqlite()` takes, checked. */

import path from 'node:path'
import { invalidOption, refuseOtherWords, refuseUnknownOptions } from '../options.ts'

type Durability = 'full' | 'process'

/** Options of `sqlite()`. */
export interface SqliteOptions {
  /** The database file; made when it is not there (its folder must exist). `':memory:'` keeps nothing. */
  path: string
  /** `full` (the default): what was acknowledged survives the loss of power. `process`: it survives the death of the process only. */
  durability?: Durability
  /** How many hot accounts are kept in memory. Changes cost, never meaning. Default 10,000; 0 keeps none. */
  cacheSize?: number
  /** How long a change may wait while another process holds the write lock, in milliseconds. Default 2,000. */
  busyTimeoutMs?: number
}

const NAMES = ['path', 'durability', 'cacheSize', 'busyTimeoutMs']

/** The options with their defaults, the path made absolute: a process that changes its folder keeps its files. Throws `invalid_option`. */
export function checkSqliteOptions(options: SqliteOptions): Required<SqliteOptions> {
  const where = 'sqlite()'
  if (typeof options !== 'object' || options === null) throw invalidOption(where, 'the argument', 'an object with path', options)
  refuseUnknownOptions(where, options, NAMES)
  const { path: file, durability = 'full', cacheSize = 10_000, busyTimeoutMs = 2_000 } = options
  if (typeof file !== 'string' || file === '')
    throw invalidOption(where, 'path', "the path of a file, such as 'billing.db'", file)
  refuseOtherWords(where, 'durability', durability, ['full', 'process'])
  refuseOtherThanCount(where, 'cacheSize', cacheSize)
  refuseOtherThanCount(where, 'busyTimeoutMs', busyTimeoutMs)
  return { path: file === ':memory:' ? file : path.resolve(file), durability, cacheSize, busyTimeoutMs }
}

function refuseOtherThanCount(where: string, name: string, value: unknown): void {
  if (Number.isSafeInteger(value) && Number(value) >= 0) return
  throw invalidOption(where, name, 'a whole number, zero or more', value)
}
