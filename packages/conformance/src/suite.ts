/** `adapterSuite()`: registers every check as a test of Vitest. */

import { describe, test } from 'vitest'
import { type Check, runCheck } from './check.ts'
import { CHECKS } from './checks/index.ts'
import type { Protocol } from './client.ts'
import type { Listen } from './sample.ts'

export interface AdapterSuiteOptions {
  /** What is tested, such as `Express 5.3.0`. */
  readonly name: string
  readonly listen: Listen
  /** What the application speaks. Default `http1`. */
  readonly protocol?: Protocol
  /** What the framework cannot do: the id of the check, and the reason, which stands in the report. Default: nothing. */
  readonly skip?: Readonly<Record<string, string>>
}

const TIMEOUT_MS = 20_000

/**
 * Tests an adapter: call it in a test file. Throws where `skip` names an unknown check, or one without a reason, so that
 * nothing is left out by mistake.
 *
 * @example adapterSuite({ name: 'Express 5', listen, skip: { 'C44': 'Express does not send web responses' } })
 */
export function adapterSuite({ name, listen, protocol = 'http1', skip = {} }: AdapterSuiteOptions): void {
  checkSkip(skip)
  describe(`${name} as an adapter`, () => {
    for (const check of CHECKS) {
      const reason = reasonToSkip(check, protocol, skip)
      const promise = `${check.id} ${check.level}: ${check.title}`
      // oxlint-disable-next-line vitest/no-conditional-tests, vitest/no-disabled-tests -- skipping is what it registers
      if (reason !== null) test.skip(`${promise} (skipped: ${reason})`)
      // oxlint-disable-next-line vitest/expect-expect, vitest/valid-title -- the check has all of it
      else test(promise, () => runCheck(check, { listen, protocol }), TIMEOUT_MS)
    }
  })
}

function checkSkip(skip: Readonly<Record<string, string>>): void {
  for (const [id, reason] of Object.entries(skip)) {
    if (!CHECKS.some((check) => check.id === id))
      throw new TypeError(`Expected skip to name checks, got '${id}': see the table in the README of @farebox/conformance`)
    if (reason.trim() === '')
      throw new TypeError(`Expected a reason for skipping ${id}, got an empty one: say why the framework cannot do it`)
  }
}

function reasonToSkip({ id, protocol }: Check, spoken: Protocol, skip: Readonly<Record<string, string>>): string | null {
  if (protocol !== undefined && protocol !== spoken) return `it is about ${protocol === 'http1' ? 'HTTP/1' : 'HTTP/2'}`
  return skip[id] ?? null
}
