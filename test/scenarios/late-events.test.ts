/** Events that come late and events that were wrong: each in the period of its time, on a draft, or as an adjustment that names its invoice. */

import { defineCatalog, type PriceDefinition } from '@farebox/core'
import { describe, expect, it } from 'vitest'
import { STORES } from './stores.ts'
import { begin, type Story } from './story.ts'

const plan = (name: string, overage: PriceDefinition, more: object = {}) =>
  ({
    name,
    price: '10.00',
    interval: 'month',
    features: { calls: { included: 10, overage }, files: { overage: PER_FILE } },
    ...more,
  }) as const
const PER_FILE = { model: 'per_unit', price: '1.00' } as const
const per = (price: string) => ({ model: 'per_unit', price }) as const

const catalog = defineCatalog({
  currency: 'USD',
  features: { calls: { type: 'metered', name: 'calls', default: true }, files: { type: 'metered', name: 'files' } },
  plans: {
    pro: plan('Pro', per('0.50')),
    tiers: plan('Tiers', { model: 'graduated', tiers: [{ upTo: 10, price: '1.00' }, { price: '0.10' }] }),
    packs: plan('Packs', { model: 'package', size: 100, price: '5.00' }),
    volume: plan('Volume', { model: 'volume', tiers: [{ upTo: 10, price: '1.00' }, { price: '0.20' }] }),
    yearly: plan('Yearly', per('0.50'), { price: '100.00', interval: 'year' }),
    blocking: { name: 'Blocking', price: '5.00', interval: 'month', features: { calls: { included: 10 } } },
  },
})

/** On a plan with so many calls in January, billed, and some in February. */
async function billed(database: Parameters<typeof begin>[0], code: string, used: number): Promise<Story> {
  const story = begin(database, { catalog })
  await story.subscribe('ada', code)
  if (used > 0) await story.use('ada', used)
  story.goTo('2026-02-03')
  await story.close()
  return story
}

describe.each(STORES)('a late event on $name', ({ database }) => {
  it('of a period that is not closed yet is in its invoice', async () => {
    const { subscribe, use, goTo, close } = begin(database, { catalog })
    await subscribe('ada', 'pro')
    goTo('2026-02-03')
    await use('ada', 12, 'calls', '2026-01-31T23:59:59.999Z')
    await use('ada', 1, 'calls', '2026-02-01')
    expect((await close()).at(-1)).toBe('recurring 11.00: Pro 10.00, 12 calls 1.00')
  })

  it('of a period whose invoice is a draft is in it, as long as the grace lasts', async () => {
    const { farebox, subscribe, use, goTo, close } = begin(database, { catalog, invoiceGraceHours: 48 })
    await subscribe('ada', 'pro')
    await use('ada', 12)
    goTo('2026-02-02')
    expect((await farebox.closePeriods()).drafts).toEqual(['ada'])
    expect((await farebox.invoices.list()).items.map(({ status, number }) => [status, number])).toEqual([
      ['open', 'FB-000001'],
      ['draft', null],
    ])
    await use('ada', 2, 'calls', '2026-01-15')
    goTo('2026-02-02T23:59Z')
    expect((await farebox.closePeriods()).drafts).toEqual(['ada'])
    goTo('2026-02-03')
    expect(await close()).toEqual(['recurring 12.00: Pro 10.00, 14 calls 2.00'])
    await use('ada', 2, 'calls', '2026-01-15')
    goTo('2026-03-03')
    expect((await close()).at(-1)).toBe('recurring 11.00: Pro 10.00, 2 calls, adjustment of an earlier invoice 1.00')
  })

  it.each([
    ['within the allowance, for nothing', 'pro', 4, 5, '5 calls, adjustment of an earlier invoice 0.00'],
    ['across the allowance', 'pro', 8, 5, '5 calls, adjustment of an earlier invoice 1.50'],
    ['in the tier where it would have been', 'tiers', 18, 5, '5 calls, adjustment of an earlier invoice 2.30'],
    ['in a package that has room', 'packs', 60, 50, '50 calls, adjustment of an earlier invoice 0.00'],
    ['in another package', 'packs', 60, 51, '51 calls, adjustment of an earlier invoice 5.00'],
    // 10 at 1.00 become 20 at 0.20.
    ['as a credit, where more units cost less', 'volume', 20, 10, '10 calls, adjustment of an earlier invoice -6.00'],
  ])('of an invoiced period is priced as if it had come in time: %s', async (_name, code, before, late, line) => {
    const story = await billed(database, code, before)
    await story.use('ada', late, 'calls', '2026-01-20')
    story.goTo('2026-03-03')
    expect((await story.close()).at(-1)).toMatch(line)
    const [first, january, february] = (await story.farebox.invoices.list()).items
    expect(february?.lines.at(-1)).toMatchObject({
      type: 'adjustment',
      corrects: january?.id,
      period: [Date.UTC(2026, 0, 1), Date.UTC(2026, 1, 1)],
    })
    expect(first?.lines).toHaveLength(1)
  })

  it('comes in several rounds, at any age, also of a plan that was left long ago', async () => {
    const story = await billed(database, 'tiers', 15)
    await story.use('ada', 3, 'calls', '2026-01-10')
    await story.farebox.subscriptions.change({ customerId: 'ada', plan: 'yearly' })
    story.goTo('2026-09-01')
    await story.close()
    await story.use('ada', 4, 'calls', '2026-01-11')
    await story.use('ada', 1, 'files', '2026-01-12')
    story.goTo('2027-08-01')
    await story.close()
    const adjustments = (await story.farebox.invoices.list()).items.flatMap(({ lines }) =>
      lines.filter(({ type }) => type === 'adjustment'),
    )
    // 5 of January cost 5.00; 3 more 3.00; of the next 4, 2 are at 1.00 and 2 at 0.10.
    expect(
      adjustments.map(({ description, amount, corrects }) => [description.split(',')[0], amount.minor, corrects?.endsWith('-1')]),
    ).toEqual([
      ['calls', 300n, true],
      ['calls', 220n, true],
      ['files', 100n, true],
    ])
  })

  it('of a period that had no invoice names none', async () => {
    const story = await billed(database, 'yearly', 0)
    await story.use('ada', 12, 'calls', '2026-01-20')
    story.goTo('2026-03-03')
    expect(await story.close()).toEqual(['adjustment 1.00: 12 calls, adjustment of an earlier invoice 1.00'])
    expect((await story.farebox.invoices.list()).items.at(-1)?.lines[0]?.corrects).toBeUndefined()
  })

  it('after the end of everything has an invoice of its own', async () => {
    const story = await billed(database, 'pro', 10)
    await story.farebox.subscriptions.cancel({ customerId: 'ada', when: 'now' })
    story.goTo('2026-04-01')
    expect(await story.use('ada', 2, 'calls', '2026-01-31')).toBe('recorded')
    expect(await story.use('ada', 2, 'calls', '2026-03-01')).toBe('no_subscription')
    expect(await story.close()).toEqual(['adjustment 1.00: 2 calls, adjustment of an earlier invoice 1.00'])
    expect(await story.close()).toEqual([])
  })

  it('of an invoiced period whose limit blocked is refused, for the limit is no longer known', async () => {
    const story = await billed(database, 'blocking', 5)
    await expect(story.use('ada', 1, 'calls', '2026-01-20')).rejects.toMatchObject({ code: 'period_invoiced' })
    expect(await story.use('ada', 1, 'calls', '2026-02-02')).toBe('recorded')
  })

  it('may not be of the future, but for the error of a clock', async () => {
    const story = begin(database, { catalog, begins: '2026-01-31T23:58Z' })
    await story.subscribe('ada', 'pro')
    await expect(story.use('ada', 1, 'calls', '2026-02-01T00:03:01Z')).rejects.toMatchObject({ code: 'invalid_timestamp' })
    expect(await story.use('ada', 1, 'calls', '2026-02-01T00:03Z')).toBe('recorded')
  })
})

describe.each(STORES)('a correction on $name', ({ database }) => {
  const correct = ({ farebox }: Story, value?: number | string, idempotencyKey = 'k1') =>
    farebox.usage.correct({ customerId: 'ada', idempotencyKey, ...(value === undefined ? {} : { value }) })
  const track = ({ farebox }: Story, value: number) =>
    farebox.usage.track({ customerId: 'ada', feature: 'calls', value, idempotencyKey: 'k1' })

  it('takes back all or part of an event, as an event that points to it', async () => {
    const story = begin(database, { catalog })
    await story.subscribe('ada', 'pro')
    await track(story, 30)
    expect((await correct(story, '12.5')).kind).toBe('corrected')
    const events = (await story.farebox.events.list()).items
    expect(events.map(({ quantity, corrects }) => [quantity, corrects])).toEqual([
      [30_000_000n, undefined],
      [-17_500_000n, events[0]?.seq],
    ])
    story.goTo('2026-02-01')
    expect((await story.close()).at(-1)).toBe('recurring 11.25: Pro 10.00, 12.5 calls 1.25')
  })

  it('is made once: the same again is a repeat, another is a conflict', async () => {
    const story = begin(database, { catalog })
    await story.subscribe('ada', 'pro')
    await track(story, 30)
    const kinds = await Promise.all([correct(story, 5), correct(story, 5), correct(story, 6)])
    expect(kinds.map(({ kind }) => kind)).toEqual(['corrected', 'repeat', 'conflict'])
    await expect(correct(story, 31)).rejects.toMatchObject({ code: 'invalid_quantity' })
    await expect(correct(story, 0, 'nothing')).rejects.toMatchObject({ code: 'not_found' })
    expect(await story.left('ada')).toBe('5')
  })

  it('gives back the allowance of the running period', async () => {
    const story = begin(database, { catalog })
    await story.subscribe('ada', 'blocking')
    await track(story, 10)
    expect(await story.use('ada', 1)).toBe('allowance_exhausted')
    await correct(story, 4)
    expect(await story.use('ada', 6)).toBe('recorded')
    expect(await story.use('ada', 1)).toBe('allowance_exhausted')
  })

  it('of an invoiced period is a credit on the next invoice, and what is left of it on the one after', async () => {
    const story = begin(database, { catalog })
    await story.subscribe('ada', 'pro')
    await track(story, 60)
    story.goTo('2026-02-03')
    await story.close()
    await correct(story)
    story.goTo('2026-04-01')
    expect(await story.close()).toEqual([
      'recurring -15.00: Pro 10.00, -60 calls, adjustment of an earlier invoice -25.00',
      'recurring 10.00: Pro 10.00',
    ])
    const invoices = (await story.farebox.invoices.list()).items.slice(2)
    expect(invoices.map(({ status, creditApplied }) => [status, creditApplied.minor])).toEqual([
      ['paid', 0n],
      ['paid', 1_000n],
    ])
    story.goTo('2026-05-01')
    await story.close()
    expect((await story.farebox.invoices.list()).items.at(-1)?.creditApplied.minor).toBe(500n)
  })
})
