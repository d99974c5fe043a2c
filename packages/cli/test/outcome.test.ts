import { describe, expect, it } from 'vitest'
import { outcomeOf } from '../src/replay/outcome.ts'
import type { Answer } from '../src/replay/outcome.ts'

const RATE_LIMIT = '"api_calls";r=3;t=86400'

function answer(seen: Partial<Answer>): Answer {
  return { status: 200, rateLimit: null, markedFeature: null, problem: null, ...seen }
}

describe('what became of a line, told from its answer', () => {
  it.each([
    ['billed below 400', { rateLimit: RATE_LIMIT }, { kind: 'billed', feature: 'api_calls' }],
    ['billed when not modified', { status: 304, rateLimit: RATE_LIMIT }, { kind: 'billed', feature: 'api_calls' }],
    ['voided at 400 and above', { status: 404, rateLimit: RATE_LIMIT }, { kind: 'voided', feature: 'api_calls' }],
    [
      'voided when the application itself answers 402',
      { status: 402, rateLimit: RATE_LIMIT },
      { kind: 'voided', feature: 'api_calls' },
    ],
    [
      'refused by a problem document',
      { status: 402, rateLimit: RATE_LIMIT, problem: '{"feature":"downloads"}' },
      { kind: 'refused', feature: 'downloads' },
    ],
    [
      'refused in answer to a HEAD',
      { status: 402, rateLimit: RATE_LIMIT, problem: '' },
      { kind: 'refused', feature: 'api_calls' },
    ],
    [
      'refused where the plan lacks the feature',
      { status: 403, problem: '{"feature":"downloads"}' },
      { kind: 'refused', feature: 'downloads' },
    ],
    ['billed on an unlimited plan', { markedFeature: 'api_calls' }, { kind: 'billed', feature: 'api_calls' }],
    ['unmatched without any sign of a meter', { status: 404 }, { kind: 'unmatched' }],
    ["unmatched when a problem is the application's own", { status: 403, problem: '[1' }, { kind: 'unmatched' }],
    ['unmatched when the header is not ours', { rateLimit: 'default;r=5' }, { kind: 'unmatched' }],
  ] as const)('is %s', (_name, seen, outcome) => {
    expect(outcomeOf(answer(seen))).toEqual(outcome)
  })
})
