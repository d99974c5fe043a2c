/** What the option `spool` of `createFarebox()` takes, checked. */

import path from 'node:path'
import { invalidOption, refuseUnknownOptions } from '../options.ts'

/** The option `spool` of `createFarebox()`; a string is the path. */
export interface SpoolOptions {
  /** The file; made when the first event has to wait in it. Its folder must be there. Default `farebox-spool.db` in the working directory. */
  path?: string
  /** When so many wait, requests are refused until some are delivered. Default 1,000,000, which take some 100 MB. */
  maxEvents?: number
}

const NAMES = ['path', 'maxEvents']
const DEFAULT_PATH = 'farebox-spool.db'
const DEFAULT_MAX_EVENTS = 1_000_000

/** The options with their defaults, the path made absolute: a process that changes its folder keeps its file. Throws `invalid_option`. */
export function checkSpoolOptions(given: string | SpoolOptions = {}): Required<SpoolOptions> {
  const where = 'createFarebox()'
  const options = typeof given === 'string' ? { path: given } : given
  if (typeof options !== 'object' || options === null)
    throw invalidOption(where, 'spool', 'a path, or an object with path and maxEvents', given)
  refuseUnknownOptions('spool', options, NAMES)
  const { path: file = DEFAULT_PATH, maxEvents = DEFAULT_MAX_EVENTS } = options
  // A spool in memory would keep nothing when the process dies, which is what it is there for.
  if (typeof file !== 'string' || file === '' || file === ':memory:')
    throw invalidOption(where, 'spool.path', "the path of a file, such as 'farebox-spool.db'", file)
  if (!Number.isSafeInteger(maxEvents) || maxEvents < 1)
    throw invalidOption(where, 'spool.maxEvents', 'a whole number, one or more', maxEvents)
  return { path: path.resolve(file), maxEvents }
}
