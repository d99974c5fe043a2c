/** Instants as a command line gives them. */

import { FareboxError } from '@farebox/core'
import { parseInstant } from '@farebox/core/contracts'
import { CommandError } from './command-error.ts'

/** RFC 3339 with a zone, or a day, which begins in UTC. Throws one sentence that names the option. */
export function readInstant(text: string, option: string): number {
  try {
    return parseInstant(/^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00:00Z` : text)
  } catch (error) {
    if (!(error instanceof FareboxError)) throw error
    throw new CommandError(
      `${option} is '${text.slice(0, 40)}': give a day such as 2026-02-01, or an instant such as 2026-02-01T00:00:00Z`,
    )
  }
}
