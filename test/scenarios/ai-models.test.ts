/** AI models on a prepaid balance: each token at its price, the margin of the plan, and usage that has no price yet. */

import { defineCatalog } from '@farebox/core'
import { decimal, formatDecimal, type ModelPrices, type ModelUsage } from '@farebox/core/contracts'
import { describe, expect, it } from 'vitest'
import { STORES } from './stores.ts'
import { begin, grant, type Story } from './story.ts'

/** Prices of a million tokens. `large` costs more from March on; `new` has no price until it is released; `odd` never has one. */
function prices({ isReleased = false } = {}): ModelPrices {
  const perMillion = { input: '2.50', cache_read: '0.25', cache_write: '3.125', output: '10.00' } as const
  return {
    catalog: `test ${isReleased ? 2 : 1}`,
    currency: 'USD',
    quote({ model, inputTokens, outputTokens, cacheReadTokens = 0, cacheWriteTokens = 0 }, at) {
      if (model === 'odd' || (model === 'new' && !isReleased)) return { kind: 'unpriceable', reason: `${model} has no price` }
      if (!['large', 'new'].includes(model)) return { kind: 'unknown_model' }
      const factor = at >= Date.UTC(2026, 2, 1) ? 2n : 1n
      const classes = [
        { name: 'input', tokens: inputTokens - cacheReadTokens - cacheWriteTokens },
        { name: 'cache_read', tokens: cacheReadTokens },
        { name: 'cache_write', tokens: cacheWriteTokens },
        { name: 'output', tokens: outputTokens },
      ] as const
      const priced = classes.map((one) => {
        const { coefficient, scale } = decimal(perMillion[one.name])
        return { ...one, perMillion: { coefficient: coefficient * factor, scale } }
      })
      return { kind: 'priced', model, provider: 'test', classes: priced.filter(({ tokens }) => tokens > 0) }
    },
  }
}

const selling = (price: object, more: object = {}) =>
  ({
    price: '20.00',
    interval: 'month',
    consumption: 'balance',
    features: { tokens: { price: { model: 'ai_model', ...price } } },
    ...more,
  }) as const

const catalog = defineCatalog({
  currency: 'USD',
  features: { tokens: { type: 'metered', name: 'AI calls' } },
  plans: {
    at_cost: { name: 'At cost', ...selling({}) },
    per_cent: { name: 'Per cent', ...selling({ margin: '12.5' }) },
    basis_points: { name: 'Basis points', ...selling({ marginBasisPoints: 1250 }) },
    blocking: { name: 'Blocking', ...selling({ margin: '20' }, { blockOnExhaustion: true }) },
  },
})

function start(database: Parameters<typeof begin>[0]): Story {
  return begin(database, { catalog, models: prices() })
}

function call(story: Story, usage: Partial<ModelUsage>, more: object = {}) {
  const counts = { model: 'large', inputTokens: 0, outputTokens: 0, ...usage }
  return story.farebox.usage.track({ customerId: 'ada', feature: 'tokens', ...counts, ...more })
}

async function costs(story: Story): Promise<string[]> {
  return (await story.farebox.events.list()).items.map(({ charge }) => (charge === undefined ? '' : formatDecimal(charge.cost)))
}

describe.each(STORES)('an AI model on $name', ({ database }) => {
  it.each([
    ['input', { inputTokens: 1_000 }, '0.0025'],
    ['output', { outputTokens: 1_000 }, '0.01'],
    ['one token, exact', { inputTokens: 1 }, '0.0000025'],
    // 700 of the 1,000 are read from the cache, 200 are written to it, 100 are plain: none is counted twice.
    ['cached tokens once', { inputTokens: 1_000, cacheReadTokens: 700, cacheWriteTokens: 200 }, '0.00105'],
    ['all of it', { inputTokens: 1_000, cacheReadTokens: 700, cacheWriteTokens: 200, outputTokens: 50 }, '0.00155'],
    ['explicit zeros, for nothing', { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0 }, '0'],
  ])('costs what its tokens cost: %s', async (_name, usage, cost) => {
    const story = start(database)
    await story.subscribe('ada', 'at_cost')
    expect((await call(story, usage)).kind).toBe('recorded')
    expect(await costs(story)).toEqual([cost])
  })

  it.each(['per_cent', 'basis_points'])('costs a margin more, exact, written in %s', async (plan) => {
    const story = start(database)
    await story.subscribe('ada', plan)
    await call(story, { inputTokens: 3 })
    expect(await costs(story)).toEqual(['0.0000084375'])
  })

  it('keeps the price that was used with the event: prices of another day change nothing before it', async () => {
    const story = start(database)
    await story.subscribe('ada', 'per_cent')
    story.goTo('2026-02-28T23:59Z')
    await call(story, { inputTokens: 1_000_000, outputTokens: 7 })
    story.goTo('2026-03-01T00:01Z')
    await call(story, { inputTokens: 1_000_000 })
    const charges = (await story.farebox.events.list()).items.map(({ charge }) => charge)
    expect(charges.map((charge) => charge?.model)).toMatchObject([
      { model: 'large', provider: 'test', catalog: 'test 1', margin: '12.5', isIncomplete: false },
      { model: 'large' },
    ])
    expect(
      charges.map((charge) =>
        charge?.model?.classes.map(({ name, tokens, perMillion }) => `${tokens} ${name} at ${formatDecimal(perMillion)}`),
      ),
    ).toEqual([['1000000 input at 2.5', '7 output at 10'], ['1000000 input at 5']])
    expect(await costs(story)).toEqual(['2.81257875', '5.625'])
  })

  it('that no price list has is the mistake of the caller: nothing is written', async () => {
    const story = start(database)
    await story.subscribe('ada', 'at_cost')
    await expect(call(story, { model: 'lagre', inputTokens: 5 })).rejects.toMatchObject({ code: 'unknown_model' })
    await expect(call(story, { inputTokens: -5 })).rejects.toMatchObject({ code: 'invalid_model_usage' })
    await expect(call(story, { inputTokens: 1.5 })).rejects.toMatchObject({ code: 'invalid_model_usage' })
    expect(await costs(story)).toEqual([])
    expect((await story.farebox.usage.unpriced()).items).toEqual([])
  })

  it('without a price waits in a queue that can be seen, and is billed once when it has one: never dropped, never free', async () => {
    const before = start(database)
    await before.subscribe('ada', 'at_cost')
    expect((await call(before, { model: 'new', inputTokens: 2_000_000 }, { idempotencyKey: 'k1' })).kind).toBe('queued')
    // A retry waits in the same place.
    expect((await call(before, { model: 'new', inputTokens: 2_000_000 }, { idempotencyKey: 'k1' })).kind).toBe('queued')
    expect((await call(before, { model: 'odd', inputTokens: 1 })).kind).toBe('queued')
    expect((await call(before, { model: 'new', inputTokens: 1 }, { isIncomplete: true })).kind).toBe('queued')
    expect((await before.farebox.usage.unpriced({ customerId: 'ada' })).items).toMatchObject([
      { id: 'k1', reason: 'new has no price', usage: { model: 'new', inputTokens: 2_000_000 } },
      { reason: 'odd has no price' },
      { isIncomplete: true },
    ])
    expect(await before.left('ada')).toBe('20 USD')
    expect(await before.farebox.usage.retryUnpriced()).toEqual({ priced: 0, waiting: 3 })

    const story = await before.release(catalog, { models: prices({ isReleased: true }) })
    expect(await story.farebox.usage.retryUnpriced()).toEqual({ priced: 2, waiting: 1 })
    expect(await story.farebox.usage.retryUnpriced()).toEqual({ priced: 0, waiting: 1 })
    expect(await costs(story)).toEqual(['5', '0.0000025'])
    expect((await story.farebox.events.list()).items.at(-1)?.charge?.model?.isIncomplete).toBe(true)
    expect(await story.left('ada')).toBe('14.999997 USD')
    expect((await call(story, { model: 'new', inputTokens: 2_000_000 }, { idempotencyKey: 'k1' })).kind).toBe('repeat')
  })

  it('that finds its price after the invoice of its month is paid by the balance of that month', async () => {
    const before = start(database)
    await before.subscribe('ada', 'at_cost')
    await call(before, { inputTokens: 6_000_000 })
    await call(before, { model: 'new', outputTokens: 600_000 })
    before.goTo('2026-02-02')
    await before.close()
    const story = await before.release(catalog, { models: prices({ isReleased: true }) })
    expect(await story.farebox.usage.retryUnpriced()).toEqual({ priced: 1, waiting: 0 })
    expect(await story.left('ada')).toBe('20 USD')
    story.goTo('2026-03-01')
    // 15.00 and 6.00 of 20.00.
    expect(await story.close()).toEqual(['recurring 21.00: At cost 20.00, 1 AI calls, adjustment of an earlier invoice 1.00'])
  })

  it('bills a stream that broke off for what was delivered, and marks it', async () => {
    const story = start(database)
    await story.subscribe('ada', 'blocking')
    const usage = { model: 'large', inputTokens: 100_000, outputTokens: 400_000 }
    const gate = story.farebox.createGate<string>('tokens', { identify: (id) => id, estimate: () => usage })
    const verdict = await gate.admit({ method: 'POST', route: '/', header: () => undefined, raw: 'ada' })
    if (verdict.kind !== 'admitted') throw new Error('expected to be admitted')
    // 0.25 and 4.00, and a margin of 20 per cent.
    expect(await story.left('ada')).toBe('14.9 USD')
    verdict.ticket.meter.addModelUsage({ ...usage, outputTokens: 100_000 }, { isIncomplete: true })
    gate.settle(verdict.ticket, { kind: 'aborted', status: 200 }, 'ada')
    const [event] = (await story.farebox.events.list()).items
    expect([event?.charge?.model?.isIncomplete, await costs(story)]).toEqual([true, ['1.5']])
    expect(await story.left('ada')).toBe('18.5 USD')
  })

  it('is refused where the balance blocks and is used up, also when nobody can say what it will cost', async () => {
    const story = start(database)
    await story.subscribe('ada', 'blocking')
    await call(story, { outputTokens: 1_600_000 })
    const gate = story.farebox.createGate<string>('tokens', { identify: (id) => id })
    const ask = () => gate.admit({ method: 'POST', route: '/', header: () => undefined, raw: 'ada' })
    expect((await call(story, { outputTokens: 70_000 })).kind).toBe('refused')
    const last = await ask()
    if (last.kind !== 'admitted') throw new Error('expected to be admitted')
    last.ticket.meter.addModelUsage({ model: 'large', inputTokens: 0, outputTokens: 200_000 })
    gate.settle(last.ticket, { kind: 'finished', status: 200 }, 'ada')
    // 0.80 were left of it, and the work cost 2.40: the limit stands.
    expect(await story.left('ada')).toBe('0 USD')
    expect((await ask()).kind).toBe('refused')
    await grant(story, { customerId: 'ada', id: 'top-up', unit: 'balance', source: 'top_up', granted: '5' })
    expect((await ask()).kind).toBe('admitted')
  })
})
