/** What went wrong elsewhere when requests were counted: each failure as the property that excludes it, with the report it was learnt from. */

import { createFarebox, defineCatalog, type Farebox, formatMoney, testClock } from '@farebox/core'
import { afterEach, describe, expect, it } from 'vitest'
import { STORES } from './stores.ts'
import { begin, grant, type Story } from './story.ts'

const catalog = defineCatalog({
  currency: 'USD',
  features: { calls: { type: 'metered', name: 'calls', default: true }, files: { type: 'metered', name: 'files' } },
  plans: {
    free: { name: 'Free', price: '0', interval: 'month', features: { calls: { included: 10 }, files: { included: 0 } } },
    pro: {
      name: 'Pro',
      price: '10.00',
      interval: 'month',
      features: {
        calls: { included: 10, overage: { model: 'per_unit', price: '0.015' } },
        files: { included: 0, overage: { model: 'per_unit', price: '0' } },
      },
    },
    credits: {
      name: 'Credits',
      price: '5.00',
      interval: 'month',
      consumption: 'credits',
      credits: 10,
      features: { calls: { credits: 1 }, files: { credits: 0 } },
    },
  },
})

function gateOf(farebox: Farebox, units = 1) {
  const gate = farebox.createGate<string>('calls', { identify: (id) => id, units })
  return {
    gate,
    admit: (customer: string) => gate.admit({ method: 'GET', route: '/', header: () => undefined, raw: customer }),
  }
}

async function posted({ farebox }: Pick<Story, 'farebox'>, customerId = 'ada'): Promise<bigint[]> {
  const usages = await farebox.usage.totals({ customerId })
  return usages.map((usage) => usage.posted / 1_000_000n)
}

const running: Farebox[] = []

afterEach(async () => {
  for (const farebox of running.splice(0)) await farebox.stop({ withinMs: 0 })
})

describe.each(STORES)('on $name', ({ database }) => {
  /** @see stickerdaniel/saas-starter#509, LanternOps/breeze#6460 */
  it('of any number of requests at once in two processes exactly what is left is admitted', async () => {
    const shared = database()
    const [one, two] = [0, 0].map(() =>
      createFarebox({ catalog, store: shared.store(), clock: testClock(Date.UTC(2026, 0, 1)) }),
    ) as [Farebox, Farebox]
    running.push(one, two)
    await one.subscriptions.create({ customerId: 'ada', plan: 'free' })
    const [first, second] = [gateOf(one), gateOf(two)] as const
    const verdicts = await Promise.all(Array.from({ length: 30 }, (_, i) => (i % 2 === 0 ? first : second).admit('ada')))
    expect(verdicts.filter((verdict) => verdict.kind === 'admitted')).toHaveLength(10)
    expect(verdicts.filter((verdict) => verdict.kind === 'refused')).toHaveLength(20)
  })

  /** @see pierreb-devkit/Node#3931 */
  it('a request that is refused counts nothing', async () => {
    const story = begin(database, { catalog })
    await story.subscribe('ada', 'free')
    const { admit } = gateOf(story.farebox, 11)
    for (let i = 0; i < 3; i += 1) expect((await admit('ada')).kind).toBe('refused')
    expect(await story.left('ada')).toBe('10')
    expect((await story.farebox.events.list()).items).toEqual([])
  })

  /** @see useautumn/autumn#2552 */
  it('events of one customer that come at once are all counted', async () => {
    const story = begin(database, { catalog })
    for (const customerId of ['ada', 'bob']) await story.subscribe(customerId, 'pro')
    await Promise.all(Array.from({ length: 40 }, (_, i) => story.use(i % 4 === 0 ? 'bob' : 'ada', 1)))
    expect([await posted(story, 'ada'), await posted(story, 'bob')]).toEqual([
      [30n, 0n],
      [10n, 0n],
    ])
  })

  /** @see useautumn/autumn#1981, and field.md 2.8 on replays after a weekend */
  it('an event is charged once by its key, however often and however late it is sent again', async () => {
    const story = begin(database, { catalog })
    await story.subscribe('ada', 'pro')
    const event = { customerId: 'ada', feature: 'calls', value: 20, idempotencyKey: 'job-7', timestamp: Date.UTC(2026, 0, 1) }
    const first = await Promise.all(Array.from({ length: 10 }, () => story.farebox.usage.track(event)))
    expect(first.filter(({ kind }) => kind === 'recorded')).toHaveLength(1)
    story.goTo('2026-02-01')
    await story.close()
    const restarted = await story.release(catalog)
    restarted.goTo('2026-09-01')
    expect((await restarted.farebox.usage.track(event)).kind).toBe('repeat')
    expect((await restarted.close()).some((invoice) => invoice.includes('adjustment'))).toBe(false)
  })

  /** @see getlago/lago-api#3618 */
  it('a reservation is settled once, whoever settles it again', async () => {
    const story = begin(database, { catalog })
    await story.subscribe('ada', 'credits')
    const { gate, admit } = gateOf(story.farebox, 3)
    const verdict = await admit('ada')
    if (verdict.kind !== 'admitted') throw new Error('expected to be admitted')
    const settle = (status: number) => gate.settle(verdict.ticket, { kind: 'finished', status }, 'ada')
    for (const status of [200, 200, 500]) settle(status)
    await story.farebox.flush()
    settle(200)
    expect(await story.left('ada')).toBe('7 credits')
  })

  /** @see openmeterio/openmeter#4846 */
  it('what a grant has paid is the same from memory, without memory, and after a start', async () => {
    const shared = database()
    const clock = testClock(Date.UTC(2026, 0, 1))
    const open = (cacheSize: number): Pick<Story, 'farebox' | 'store' | 'clock'> => {
      const store = shared.store({ cacheSize })
      const farebox = createFarebox({ catalog, store, clock })
      running.push(farebox)
      return { farebox, store, clock }
    }
    const story = open(1_000)
    await story.farebox.subscriptions.create({ customerId: 'ada', plan: 'credits' })
    await grant(story, { customerId: 'ada', id: 'pack', granted: '5' })
    const leftIn = async ({ farebox }: Pick<Story, 'farebox'>) =>
      (await farebox.usage.totals({ customerId: 'ada' }))[0]?.remaining
    for (const cacheSize of [0, 1, 1_000]) {
      const other = open(cacheSize)
      await other.farebox.usage.track({ customerId: 'ada', feature: 'calls', value: 4 })
      expect(await leftIn(other)).toBe(await leftIn(story))
    }
    expect(await leftIn(story)).toBe(3_000_000n)
    expect((await story.farebox.verify()).differences).toEqual([])
  })

  /** @see pollinations/pollinations#5594, QuantumNous/new-api#5235 */
  it('a stream that the client leaves is billed for what was delivered, neither for nothing nor for all', async () => {
    const story = begin(database, { catalog })
    await story.subscribe('ada', 'pro')
    const { gate, admit } = gateOf(story.farebox, 8)
    for (const delivered of [0, 3]) {
      const verdict = await admit('ada')
      if (verdict.kind !== 'admitted') throw new Error('expected to be admitted')
      if (delivered > 0) verdict.ticket.meter.add(delivered)
      gate.settle(verdict.ticket, { kind: 'aborted', status: 200 }, 'ada')
    }
    // Eight were reserved where nothing was said, three where it was.
    expect(await posted(story)).toEqual([11n, 0n])
  })

  /** @see microsoft/vscode-copilot-release#13029 */
  it('nobody pays for a request that failed', async () => {
    const story = begin(database, { catalog })
    await story.subscribe('ada', 'free')
    const { gate, admit } = gateOf(story.farebox)
    for (const status of [400, 404, 429, 500, 503]) {
      const verdict = await admit('ada')
      if (verdict.kind === 'admitted') gate.settle(verdict.ticket, { kind: 'finished', status }, 'ada')
    }
    expect(await story.left('ada')).toBe('10')
  })

  /** @see useautumn/autumn, field.md 2.7 [A5]: one number displayed, another one billed */
  it('the refusal, the headers, the usage, the entitlement, the preview and the invoice tell one number', async () => {
    const story = begin(database, { catalog })
    await story.subscribe('ada', 'free')
    await story.use('ada', '6.4')
    const { gate, admit } = gateOf(story.farebox, 2)
    const admitted = await admit('ada')
    if (admitted.kind !== 'admitted') throw new Error('expected to be admitted')
    expect([admitted.ticket.meter.remaining, Object.fromEntries(admitted.headers)['RateLimit']?.split(';')[1]]).toEqual([
      '1.6',
      'r=1',
    ])
    gate.settle(admitted.ticket, { kind: 'finished', status: 200 }, 'ada')
    const [usage] = await story.farebox.usage.totals({ customerId: 'ada' })
    const refused = await admit('ada')
    if (refused.kind !== 'refused') throw new Error('expected to be refused')
    const { limit, used, remaining } = JSON.parse(refused.reply.body) as Record<string, number>
    expect([usage?.included, usage?.posted, usage?.remaining]).toEqual(
      [limit, used, remaining].map((units) => BigInt(Math.round((units ?? 0) * 1e6))),
    )
    const entitlement = await story.farebox.entitlements.check({ customerId: 'ada', feature: 'calls', value: 2 })
    expect(entitlement).toMatchObject({ allowed: false, code: 'allowance_exhausted' })
    const preview = await story.farebox.invoices.preview('ada')
    story.goTo('2026-02-01')
    await story.close()
    const invoice = (await story.farebox.invoices.list()).items.at(-1)
    for (const shown of [preview, invoice]) expect(shown?.lines[0]?.quantity).toBe(usage?.posted)
  })

  /** @see polarsource/polar#6779 */
  it('usage beyond the allowance is never recorded at a price of nothing: each unit raises the bill', async () => {
    const story = begin(database, { catalog })
    await story.subscribe('ada', 'pro')
    await story.close()
    await story.use('ada', 10)
    const totals: string[] = []
    for (let i = 0; i < 4; i += 1) {
      await story.use('ada', 1)
      const preview = await story.farebox.invoices.preview('ada')
      if (preview !== null) totals.push(formatMoney(preview.total))
    }
    // 0.015 each, rounded once on the line, half up.
    expect(totals).toEqual(['10.02', '10.03', '10.05', '10.06'])
  })

  /** @see BerriAI/litellm#37992 */
  it('an explicit zero is a zero, and nothing that is missing', async () => {
    const story = begin(database, { catalog })
    await story.subscribe('ada', 'pro')
    expect(await story.use('ada', 0)).toBe('recorded')
    expect(await story.use('ada', '0.000000', 'files')).toBe('recorded')
    // A price of zero is a price, and zero included units are none.
    expect(await story.use('ada', 5, 'files')).toBe('recorded')
    expect(await posted(story)).toEqual([0n, 5n])
    await story.subscribe('bob', 'free')
    expect(await story.use('bob', 1, 'files')).toBe('allowance_exhausted')
    expect(await story.use('bob', 0, 'files')).toBe('recorded')
    await story.subscribe('eve', 'credits')
    expect(await story.use('eve', 1_000, 'files')).toBe('recorded')
    expect(await story.left('eve')).toBe('10 credits')
    const { gate, admit } = gateOf(story.farebox, 7)
    const verdict = await admit('ada')
    if (verdict.kind !== 'admitted') throw new Error('expected to be admitted')
    verdict.ticket.meter.add(0)
    gate.settle(verdict.ticket, { kind: 'finished', status: 200 }, 'ada')
    expect(await posted(story)).toEqual([0n, 5n])
    story.goTo('2026-02-01')
    expect((await story.close()).find((invoice) => invoice.includes('Pro 10.00, '))).toBe(
      'recurring 10.00: Pro 10.00, 0 calls 0.00, 5 files 0.00',
    )
  })
})
