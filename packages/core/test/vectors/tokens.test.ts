/** What the tokens of an AI model cost, given the price of each class; as the meter charges them to a balance. */

import { onTestFinished } from 'vitest'
import { defineCatalog } from '../../src/catalog/define-catalog.ts'
import type { ModelPrices } from '../../src/contracts/model-prices.ts'
import { createFarebox } from '../../src/farebox.ts'
import type { TokenClass } from '../../src/records/model-usage.ts'
import { sqlite } from '../../src/sqlite/store.ts'
import { decimal, formatDecimal } from '../../src/values/decimal.ts'
import { run, type Vector } from './table.ts'

type ClassRow = readonly [name: TokenClass['name'], tokens: number, perMillion: string]

run<
  Vector & {
    readonly classes: readonly ClassRow[]
    /** Per cent. */
    readonly margin: string
    readonly providerCost: string
    readonly cost: string
  }
>('token-classes', {
  ours: async ({ classes, margin }) => {
    const price = { model: 'ai_model', margin } as const
    const catalog = defineCatalog({
      currency: 'USD',
      features: { chat: { type: 'metered' } },
      plans: {
        prepaid: { price: '1.00', interval: 'month', consumption: 'balance', default: true, features: { chat: { price } } },
      },
    })
    const farebox = createFarebox({ catalog, models: listOf(classes), store: sqlite({ path: ':memory:' }) })
    onTestFinished(() => farebox.stop())
    const tokens = (...names: TokenClass['name'][]): number =>
      classes.reduce((sum, [name, count]) => (names.includes(name) ? sum + count : sum), 0)
    const result = await farebox.usage.track({
      customerId: 'ada',
      feature: 'chat',
      model: 'a',
      inputTokens: tokens('input', 'cache_read', 'cache_write'),
      cacheReadTokens: tokens('cache_read'),
      cacheWriteTokens: tokens('cache_write'),
      outputTokens: tokens('output'),
    })
    const charge = result.kind === 'recorded' ? result.event.charge : undefined
    return [charge?.model?.providerCost, charge?.cost].map((amount) => amount && formatDecimal(amount))
  },
  theirs: ({ providerCost, cost }) => [providerCost, cost],
})

function listOf(classes: readonly ClassRow[]): ModelPrices {
  const quoted = classes.map(([name, tokens, perMillion]) => ({ name, tokens, perMillion: decimal(perMillion) }))
  return { catalog: 'row', currency: 'USD', quote: () => ({ kind: 'priced', model: 'a', provider: 'b', classes: quoted }) }
}
