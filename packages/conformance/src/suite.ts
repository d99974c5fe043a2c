/** `adapterSuite()`: registers every check of an adapter as a test of Vitest. */

import { describe } from 'vitest'
import { type Check, runCheck } from './check.ts'
import { CHECKS } from './checks/index.ts'
import type { Protocol } from './client.ts'
import { checkSkip, register, type Skip } from './register.ts'
import type { Listen } from './sample.ts'

export interface AdapterSuiteOptions {
  /** What is tested, such as `Express 5.3.0`. */
  readonly name: string
  readonly listen: Listen
  /** What the application speaks. Default `http1`. */
  readonly protocol?: Protocol
  /** What the framework cannot do: the id of the check, and the reason, which stands in the report. Default: nothing. */
  readonly skip?: Skip
}

const TIMEOUT_MS = 20_000

/**
 * Tests an adapter: call it in a test file. Throws where `skip` names an unknown check, or one without a reason, so that
 * nothing is left out by mistake.
 *
 * @example adapterSuite({ name: 'Express 5', listen, skip: { 'C44': 'Express does not send web responses' } })
 */
export function adapterSuite({ name, listen, protocol = 'http1', skip = {} }: AdapterSuiteOptions): void {
  checkSkip(CHECKS, skip)
  describe(`${name} as an adapter`, () => {
    register({
      checks: CHECKS,
      timeoutMs: TIMEOUT_MS,
      run: (check) => runCheck(check, { listen, protocol }),
      reasonToSkip: (check) => reasonToSkip(check, protocol, skip),
    })
  })
}

function reasonToSkip({ id, protocol }: Check, spoken: Protocol, skip: Skip): string | null {
  if (protocol !== undefined && protocol !== spoken) return `it is about ${protocol === 'http1' ? 'HTTP/1' : 'HTTP/2'}`
  return skip[id] ?? null
}
