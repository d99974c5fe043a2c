/** Modules of the user, loaded by their path. */

import { pathToFileURL } from 'node:url'
import { codeOf, CommandError, messageOf } from './command-error.ts'

export interface ModuleNames {
  /** As the user wrote it. */
  readonly file: string
  /** What to do when it is not there. */
  readonly fix: string
}

/** What a module exports. Rejects with one sentence when it cannot be loaded. */
export async function importModule(location: string, { file, fix }: ModuleNames): Promise<Readonly<Record<string, unknown>>> {
  try {
    const module: Record<string, unknown> = await import(pathToFileURL(location).href)
    return module
  } catch (error) {
    const isMissing = codeOf(error) === 'ERR_MODULE_NOT_FOUND' && messageOf(error).includes(location)
    if (isMissing) throw new CommandError(`There is no module ${file}: ${fix}`)
    throw new CommandError(`${file} could not be loaded: ${messageOf(error)}`)
  }
}
