/** Registers checks as tests of Vitest, with those that are skipped, and why. */

import { test } from 'vitest'

/** What a check of any suite has. */
interface Promised {
  readonly id: string
  readonly level: 'MUST' | 'SHOULD'
  readonly title: string
}

/** The id of a check, and the reason for skipping it, which stands in the report. */
export type Skip = Readonly<Record<string, string>>

export interface Registration<Check extends Promised> {
  readonly checks: readonly Check[]
  readonly timeoutMs: number
  readonly run: (check: Check) => Promise<void>
  /** Null where it is run. */
  readonly reasonToSkip: (check: Check) => string | null
}

/** To be called in a `describe`. */
export function register<Check extends Promised>({ checks, timeoutMs, run, reasonToSkip }: Registration<Check>): void {
  for (const check of checks) {
    const reason = reasonToSkip(check)
    const promise = `${check.id} ${check.level}: ${check.title}`
    // oxlint-disable-next-line vitest/no-conditional-tests, vitest/no-disabled-tests -- skipping is what it registers
    if (reason !== null) test.skip(`${promise} (skipped: ${reason})`)
    // oxlint-disable-next-line vitest/expect-expect, vitest/valid-title -- the check has all of it
    else test(promise, () => run(check), timeoutMs)
  }
}

/** Throws where an unknown check is to be skipped, or one without a reason, so that nothing is left out by mistake. */
export function checkSkip(checks: readonly Promised[], skip: Skip): void {
  for (const [id, reason] of Object.entries(skip)) {
    if (!checks.some((check) => check.id === id))
      throw new TypeError(`Expected skip to name checks, got '${id}': see the table in the README of @farebox/conformance`)
    if (reason.trim() === '')
      throw new TypeError(`Expected a reason for skipping ${id}, got an empty one: say why it cannot be done`)
  }
}
