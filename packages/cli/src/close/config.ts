/** What an application gives `createFarebox()` besides catalog and store, as a module gives it to the command line. */

import path from 'node:path'
import type { FareboxOptions } from '@farebox/core'
import { CommandError } from '../command-error.ts'
import { importModule } from '../modules.ts'

const NAMES = ['tax', 'models', 'invoiceSeries', 'invoiceGraceHours', 'onCrash', 'spool'] as const

export type Config = Pick<FareboxOptions, (typeof NAMES)[number]>

/** The default export of a module: an object that may hold more, such as all that the application gives. */
export async function loadConfig(file: string): Promise<Config> {
  const { default: found } = await importModule(path.resolve(file), { file, fix: 'give --config the path of a module' })
  if (typeof found !== 'object' || found === null)
    throw new CommandError(`${file} must export an object with the options of createFarebox() as its default`)
  const given = found as Record<string, unknown>
  return Object.fromEntries(NAMES.flatMap((name) => (given[name] === undefined ? [] : [[name, given[name]]])))
}
