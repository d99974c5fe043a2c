import { wrapLanguageModel, type LanguageModelMiddleware } from 'ai'
import { MockLanguageModelV4 } from 'ai/test'
import { expectTypeOf, test } from 'vitest'
import { fareboxMiddleware } from '../src/index.ts'
test('x', () => {
  const middleware = fareboxMiddleware({ track: async () => {}, feature: 'x', onError: () => {} })
  expectTypeOf(middleware).toExtend<LanguageModelMiddleware>()
  wrapLanguageModel({ model: new MockLanguageModelV4(), middleware })
})
