/** A catalog as a module gives it. */

import path from 'node:path'
import { type Catalog, parseCatalog } from '@farebox/core'
import { CommandError } from './command-error.ts'
import { importModule } from './modules.ts'

/** The module's `catalog`, or that of its default export. Rejects with one sentence when it has none. */
export async function loadCatalog(file: string): Promise<Catalog> {
  const module = await importModule(path.resolve(file), { file, fix: 'give --catalog the path of the module that defines it' })
  const found = [module['catalog'], module['default'], memberOf(module['default'], 'catalog')].find(isCatalog)
  if (found === undefined)
    throw new CommandError(`${file} must export what defineCatalog() returns, as its default or under the name catalog`)
  // It may come from another copy of @farebox/core: its document is what they have in common.
  return parseCatalog(found.document)
}

function isCatalog(value: unknown): value is Catalog {
  return typeof memberOf(value, 'document') === 'string' && memberOf(value, 'features') instanceof Map
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined
}
