/** The Farebox that `meter()` and `billing()` use when they are given none: the only one of the process. */

import { FareboxError } from './errors.ts'
import type { Farebox } from './farebox.ts'

// On globalThis under a registered symbol, because an application may load this package as ESM and as CommonJS.
const KEY = Symbol.for('farebox.running')

function running(): Set<Farebox> {
  const holder = globalThis as { [KEY]?: Set<Farebox> }
  return (holder[KEY] ??= new Set())
}

export function becomeDefault(farebox: Farebox): void {
  running().add(farebox)
}

export function stopBeingDefault(farebox: Farebox): void {
  running().delete(farebox)
}

/** The only running Farebox. Throws `no_farebox` when there is none, or more than one. */
export function defaultFarebox(): Farebox {
  const [only, ...others] = running()
  if (only !== undefined && others.length === 0) return only
  const found = only === undefined ? 'none was created' : `${others.length + 1} are running`
  const fix = only === undefined ? 'call createFarebox({ catalog, store }) before' : 'say which one by the option farebox'
  throw new FareboxError('no_farebox', `meter() and billing() need a Farebox with a catalog, and ${found}: ${fix}`, {
    fields: { running: others.length + (only === undefined ? 0 : 1) },
  })
}
