/** Names that repeat in every event, kept once in `_labels` and known by number. */

import type { Statements } from './statements.ts'

export interface Labels {
  /** The label's number; written inside the current transaction when it is new. */
  idOf(label: string): number
  /** The label's number, or null when the database has never seen it. */
  find(label: string): number | null
  /** Forgets what a rolled-back transaction may have made. */
  clear(): void
}

export function createLabels(statements: Statements): Labels {
  const known = new Map<string, number>()

  return { idOf, find, clear: () => known.clear() }

  function find(label: string): number | null {
    const cached = known.get(label)
    if (cached !== undefined) return cached
    const stored = statements.label.get(label)
    if (stored === undefined) return null
    known.set(label, Number(stored))
    return Number(stored)
  }

  function idOf(label: string): number {
    const found = find(label)
    if (found !== null) return found
    const id = Number(statements.insertLabel.run(label).lastInsertRowid)
    known.set(label, id)
    return id
  }
}
