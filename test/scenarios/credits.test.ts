/** Plans of credits: what is granted, in which order it is used, what goes back, and what happens when none are left. */

import { defineCatalog } from '@farebox/core'
import { formatDecimal } from '@farebox/core/contracts'
import { describe, expect, it } from 'vitest'
import { STORES } from './stores.ts'
import { begin, grant, type Story } from './story.ts'

const catalog = defineCatalog({
  currency: 'USD',
  features: { pages: { type: 'metered', name: 'pages', default: true }, images: { type: 'metered', name: 'images' } },
  plans: {
    pro: {
      name: 'Pro',
      price: '20.00',
      interval: 'month',
      consumption: 'credits',
      credits: 10,
      features: { pages: { credits: 1 }, images: { credits: '2.5' } },
    },
    team: {
      name: 'Team',
      price: '60.00',
      interval: 'month',
      consumption: 'credits',
      credits: 100,
      features: { pages: { credits: 1 } },
    },
    yearly: {
      name: 'Yearly',
      price: '240.00',
      interval: 'year',
      consumption: 'credits',
      credits: 10,
      features: { pages: { credits: 1 } },
    },
  },
})

/** What each grant of a customer has paid for, and whether it is closed. */
async function usedOf({ store }: Story, customerId: string): Promise<string[]> {
  const { items } = await store.records({ kind: 'grant', customerId })
  return items.map(({ id, document }) => `${id.replace(/^plan-.*/, 'plan')} ${(JSON.parse(document) as { used: string }).used}`)
}

function gateOf({ farebox }: Story, units = 1) {
  const gate = farebox.createGate<string>('pages', { identify: (id) => id, units })
  return {
    admit: (customerId: string) => gate.admit({ method: 'GET', route: '/', header: () => undefined, raw: customerId }),
    gate,
  }
}

describe.each(STORES)('credits on $name', ({ database }) => {
  it('are granted at each reset and replace what was left; each feature takes its own number of them', async () => {
    const { subscribe, use, left, goTo, close } = begin(database, { catalog })
    await subscribe('ada', 'pro')
    expect(await left('ada')).toBe('10 credits')
    expect(await use('ada', 2, 'images')).toBe('recorded')
    expect(await use('ada', '1.5')).toBe('recorded')
    expect(await left('ada')).toBe('3.5 credits')
    goTo('2026-02-01')
    expect(await left('ada')).toBe('10 credits')
    expect(await close()).toEqual(['recurring 20.00: Pro 20.00', 'recurring 20.00: Pro 20.00, 1.5 pages 0.00, 2 images 0.00'])
  })

  it('of a yearly plan come month by month, never all on the first day', async () => {
    const { subscribe, use, left, goTo } = begin(database, { catalog })
    await subscribe('ada', 'yearly')
    expect(await use('ada', 11)).toBe('credits_exhausted')
    expect(await use('ada', 10)).toBe('recorded')
    for (const month of ['02', '03', '12']) {
      goTo(`2026-${month}-01`)
      expect(await left('ada')).toBe('10 credits')
    }
  })

  it('that are used up refuse with what is left, and nothing is written', async () => {
    const story = begin(database, { catalog })
    await story.subscribe('ada', 'pro')
    await story.use('ada', 8)
    const refused = await story.farebox.usage.track({ customerId: 'ada', feature: 'images' })
    expect(refused).toMatchObject({
      refusal: {
        code: 'credits_exhausted',
        unit: 'credits',
        limit: 10_000_000n,
        used: 8_000_000n,
        remaining: 2_000_000n,
        requested: 1_000_000n,
      },
    })
    const { admit } = gateOf(story, 3)
    const verdict = await admit('ada')
    if (verdict.kind !== 'refused') throw new Error('expected to be refused')
    expect(JSON.parse(verdict.reply.body)).toMatchObject({
      status: 402,
      code: 'credits_exhausted',
      unit: 'credits',
      remaining: 2,
      requested: 3,
    })
    expect(Object.fromEntries(verdict.reply.headers)).toMatchObject({ RateLimit: expect.stringContaining('"credits";r=2;t=') })
    expect(await story.left('ada')).toBe('2 credits')
  })

  it('of a pack never expire, come after those of the plan, and outlive the subscription', async () => {
    const story = begin(database, { catalog })
    const { farebox, subscribe, use, left, goTo } = story
    await subscribe('ada', 'pro')
    await grant(story, { customerId: 'ada', id: 'pack-1', granted: '50', reference: 'fifty' })
    expect(await left('ada')).toBe('60 credits')
    await use('ada', 12)
    expect(await usedOf(story, 'ada')).toEqual(['pack-1 2', 'plan 10'])
    goTo('2026-02-01')
    expect(await left('ada')).toBe('58 credits')
    await farebox.subscriptions.cancel({ customerId: 'ada', when: 'now' })
    goTo('2026-06-01')
    expect(await use('ada', 1)).toBe('no_subscription')
    await subscribe('ada', 'pro')
    expect(await left('ada')).toBe('58 credits')
  })

  it('are used soonest expiry first, then plan before pack, then oldest; a priority overrides', async () => {
    const story = begin(database, { catalog })
    await story.subscribe('ada', 'pro')
    const of = (id: string, more: object) => grant(story, { customerId: 'ada', id, granted: '3', ...more })
    await of('newer', { createdAt: Date.UTC(2025, 6, 1) })
    await of('older', { createdAt: Date.UTC(2025, 5, 1) })
    await of('soon', { expiresAt: Date.UTC(2026, 0, 20) })
    await of('with the plan', { expiresAt: Date.UTC(2026, 1, 1) })
    await of('last of all', { expiresAt: Date.UTC(2026, 0, 10), priority: 1 })
    await of('not yet', { startsAt: Date.UTC(2026, 0, 5), expiresAt: Date.UTC(2026, 0, 6) })
    const order: string[] = []
    for (let i = 0; i < 8; i += 1) {
      await story.use('ada', 3)
      const [event] = (
        await story.farebox.events.of({ customerId: 'ada', feature: 'pages', periodStart: Date.UTC(2026, 0, 1), limit: 1 })
      ).items
      order.push(
        (event?.charge?.parts ?? [])
          .map(({ grant: id, amount }) => `${formatDecimal(amount)} ${id.replace(/^plan-.*/, 'plan')}`)
          .join(' + '),
      )
    }
    expect(order).toEqual([
      '3 soon',
      '3 plan',
      '3 plan',
      '3 plan',
      '1 plan + 2 with the plan',
      '1 with the plan + 2 older',
      '1 older + 2 newer',
      '1 newer + 2 last of all',
    ])
  })

  it('are held at admission, and a void gives them back to the grants that would have paid', async () => {
    const story = begin(database, { catalog })
    await story.subscribe('ada', 'pro')
    await story.use('ada', 8)
    await grant(story, { customerId: 'ada', id: 'pack-1', granted: '5' })
    const { gate, admit } = gateOf(story, 4)
    const verdict = await admit('ada')
    if (verdict.kind !== 'admitted') throw new Error('expected to be admitted')
    expect(Object.fromEntries(verdict.headers)).toMatchObject({ RateLimit: expect.stringContaining('"credits";r=3') })
    expect(await story.left('ada')).toBe('3 credits')
    expect((await admit('ada')).kind).toBe('refused')
    gate.settle(verdict.ticket, { kind: 'finished', status: 500 }, 'ada')
    expect(await story.left('ada')).toBe('7 credits')
    expect(await usedOf(story, 'ada')).toEqual(['plan 8', 'pack-1 0'])
  })

  it('go back to the same grants when an event is corrected, also to a pack that was used up and closed', async () => {
    const story = begin(database, { catalog })
    const { farebox, subscribe, left, goTo, close } = story
    await subscribe('ada', 'pro')
    await grant(story, { customerId: 'ada', id: 'pack-1', granted: '5' })
    await farebox.usage.track({ customerId: 'ada', feature: 'pages', value: 13, idempotencyKey: 'big' })
    await farebox.usage.track({ customerId: 'ada', feature: 'pages', value: 2, idempotencyKey: 'small' })
    await farebox.usage.correct({ customerId: 'ada', idempotencyKey: 'big', value: 0 })
    expect(await usedOf(story, 'ada')).toEqual(['pack-1 2', 'plan 0'])
    expect(await left('ada')).toBe('13 credits')
    await farebox.usage.track({ customerId: 'ada', feature: 'pages', value: 13 })
    goTo('2026-02-01')
    await close()
    expect(await left('ada')).toBe('10 credits')
    await farebox.usage.correct({ customerId: 'ada', idempotencyKey: 'small' })
    expect(await left('ada')).toBe('12 credits')
  })

  it('of a plan that is left for another end with it, and the other grants its share of the month', async () => {
    const { farebox, subscribe, use, left, goTo, close } = begin(database, { catalog, begins: '2026-06-01' })
    await subscribe('ada', 'pro')
    await use('ada', 4)
    goTo('2026-06-16')
    await farebox.subscriptions.change({ customerId: 'ada', plan: 'team' })
    goTo('2026-06-17')
    expect(await left('ada')).toBe('50 credits')
    expect(await use('ada', 50)).toBe('recorded')
    expect(await use('ada', 1)).toBe('credits_exhausted')
    goTo('2026-07-01')
    expect(await left('ada')).toBe('100 credits')
    expect(await close()).toEqual(['recurring 60.00: Team 60.00, 50 pages 0.00'])
  })

  it('are never granted twice in a period, whenever it is closed and whatever was used', async () => {
    const { subscribe, use, left, goTo, close } = begin(database, { catalog })
    await subscribe('ada', 'pro')
    await use('ada', 10)
    goTo('2026-01-20')
    // The first invoice is of the first of January.
    expect(await close()).toEqual(['recurring 20.00: Pro 20.00'])
    expect(await left('ada')).toBe('0 credits')
    expect(await use('ada', 1)).toBe('credits_exhausted')
  })

  it('are used exactly, of any number of requests at once', async () => {
    const story = begin(database, { catalog })
    await story.subscribe('ada', 'pro')
    await grant(story, { customerId: 'ada', id: 'pack-1', granted: '7.5' })
    const results = await Promise.all(Array.from({ length: 30 }, () => story.use('ada', 1, 'images')))
    expect(results.filter((result) => result === 'recorded')).toHaveLength(7)
    expect(await story.left('ada')).toBe('0 credits')
  })
})
