/** What answers say that they used, in every form, and answers that say nothing. */

import { describe, expect, test } from 'vitest'
import { modelPrices, usageOf } from '../src/index.ts'
import { ANSWERS } from './answers.ts'

describe('the usage of', () => {
  test.each(ANSWERS)('$name', ({ usage, answer }) => {
    expect(usageOf(answer, usage.provider)).toEqual(usage)
  })

  test.each(ANSWERS.filter(({ usage }) => usage.provider !== 'own-proxy'))('$name has a price', ({ usage }) => {
    expect(modelPrices().quote(usage, Date.UTC(2026, 8, 25)).kind).toBe('priced')
  })

  test('an answer is found by the name of its model where no provider is given', () => {
    const xai = ANSWERS.find(({ usage }) => usage.provider === 'xai')
    expect(usageOf(xai?.answer)).toMatchObject({ outputTokens: 109 })
  })
})

describe('an answer that cannot be read', () => {
  test.each([
    ['nothing', undefined, 'got undefined'],
    ['null', null, 'got object'],
    ['a text', '{"usage":{}}', 'got string'],
    ['a list', [], 'got object'],
    ['an error of a provider', { error: { type: 'overloaded_error' } }, 'got an object with error'],
    ['an empty object', {}, 'got an object with no members'],
    [
      'a completion without usage',
      { object: 'chat.completion', model: 'gpt-4o', choices: [] },
      'got an object with object, model, choices',
    ],
    [
      'counts that are none',
      { model: 'gpt-4o', choices: [], usage: { prompt_tokens: '12', completion_tokens: 3 } },
      'to have the token counts',
    ],
    [
      'counts in parts',
      { model: 'gpt-4o', choices: [], usage: { prompt_tokens: 1.5, completion_tokens: 3 } },
      'to have the token counts',
    ],
    ['a nameless model', { choices: [], usage: { prompt_tokens: 12, completion_tokens: 3 } }, 'to name its model'],
    ['an empty name', { model: '', choices: [], usage: { prompt_tokens: 12, completion_tokens: 3 } }, 'to name its model'],
  ])('is refused with a code: %s', (_, answer, message) => {
    expect(() => usageOf(answer)).toThrow(
      expect.objectContaining({ code: 'usage_unreadable', message: expect.stringContaining(message) }),
    )
  })
})
