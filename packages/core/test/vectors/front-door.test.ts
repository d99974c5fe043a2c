/** What needs a whole subscription: resets, commitments, trials and taxed changes, as other billing systems say, through the front door. */

import { onTestFinished } from 'vitest'
import { defineCatalog } from '../../src/catalog/define-catalog.ts'
import type { PlanDefinition, PlanInterval } from '../../src/catalog/plan.ts'
import { createFarebox, type FareboxOptions } from '../../src/farebox.ts'
import { fixedTaxRates } from '../../src/invoice/tax/fixed-rates.ts'
import type { Invoice, InvoiceLine, LineType } from '../../src/records/invoice.ts'
import { sqlite } from '../../src/sqlite/store.ts'
import { testClock } from '../../src/values/clock.ts'
import { formatMoney, sumMoney } from '../../src/values/money.ts'
import { formatQuantity } from '../../src/values/quantity.ts'
import { sumsAsText } from '../invoice/sample.ts'
import { instant, plain, run, type Vector } from './table.ts'

const CURRENCY = 'USD'

run<
  Vector & {
    readonly credits: string
    readonly interval: PlanInterval
    /** In the first period. */
    readonly used: string
    /** What the customer has at the instant at which the second one begins. */
    readonly expected: { readonly balance: string; readonly used: string }
  }
>('credit-resets', {
  ours: async ({ credits, interval, used }) => {
    const plan: PlanDefinition<'units'> = {
      price: '0',
      interval,
      consumption: 'credits',
      credits,
      features: { units: { credits: 1 } },
    }
    const { farebox, clock } = open({ plans: { plan }, at: instant('2026-01-01') })
    const { usagePeriod } = await farebox.subscriptions.create({ customerId: 'ada', plan: 'plan' })
    await farebox.usage.track({ customerId: 'ada', feature: 'units', value: used })
    clock.set(usagePeriod?.[1] ?? 0)
    const [now] = await farebox.usage.totals({ customerId: 'ada' })
    return { balance: formatQuantity(now?.remaining ?? -1n), used: formatQuantity(now?.posted ?? -1n) }
  },
  theirs: ({ expected }) => expected,
})

run<
  Vector & {
    readonly price: string
    readonly interval: PlanInterval
    readonly minimum: string
    readonly begins: string
    /** When the subscription is canceled: the rest of the base price is given back. Goes on without one. */
    readonly ends?: string
    /** Units at one each. */
    readonly usage: string
    /** What is lacking on the invoices up to here. */
    readonly at: string
    readonly lacking: string
  }
>('minimum-commitment', {
  ours: async ({ price, interval, minimum, begins, ends, usage, at }) => {
    const features = { units: { overage: { model: 'per_unit', price: '1' } } } as const
    const plan: PlanDefinition<'units'> = { price, interval, minimum, proration: 'time', features }
    const { farebox, clock } = open({ plans: { plan }, at: instant(begins) })
    await farebox.subscriptions.create({ customerId: 'ada', plan: 'plan' })
    if (usage !== '0') await farebox.usage.track({ customerId: 'ada', feature: 'units', value: usage })
    clock.set(instant(at))
    if (ends !== undefined) await farebox.subscriptions.cancel({ customerId: 'ada', when: 'now', prorate: true })
    await farebox.closePeriods()
    return plain(amountOf((await farebox.invoices.list()).items, 'minimum_commitment'))
  },
  theirs: ({ lacking }) => plain(lacking),
})

run<
  Vector & {
    readonly timeZone: string
    /** When a month begins, and when in it the plan is changed to one at `price`. */
    readonly begins: string
    readonly change: string
    readonly price: string
    /** Per cent. */
    readonly taxRate: string
    /** Of the invoice that the change makes. */
    readonly expected: Readonly<Record<string, string>>
  }
>('taxed-change', {
  ours: async ({ timeZone, begins, change, price, taxRate, expected }) => {
    const plans = { small: { price: '0.01', interval: 'month', proration: 'none' }, plan: { price, interval: 'month' } } as const
    const tax = fixedTaxRates({ seller: { country: 'FR' }, rates: [{ country: 'FR', rate: taxRate }] })
    const { farebox, clock } = open({ plans, at: instant(begins), tax })
    await farebox.customers.create({ id: 'ada', timeZone, country: 'FR' })
    await farebox.subscriptions.create({ customerId: 'ada', plan: 'small' })
    clock.set(instant(change))
    const { invoice } = await farebox.subscriptions.change({ customerId: 'ada', plan: 'plan' })
    const [line] = invoice?.lines ?? []
    const answer: Record<string, string | undefined> = {
      ...(invoice === null ? {} : sumsAsText(invoice)),
      days: line?.description.replace('plan, ', ''),
    }
    return Object.fromEntries(Object.keys(expected).map((name) => [name, answer[name]]))
  },
  theirs: ({ expected }) => expected,
})

run<
  Vector & {
    readonly timeZone: string
    readonly startsAt: string
    readonly trialDays: number
    readonly price: string
    /** The first base price: the day of the month that billing is counted from, the local dates of its period, the amount. */
    readonly expected: { readonly anchorDay: number; readonly firstPeriod: readonly string[]; readonly amount: string }
  }
>('trial-start', {
  ours: async ({ timeZone, startsAt, trialDays, price }) => {
    const plans = { plan: { price, interval: 'month', trialDays } } as const
    const { farebox, clock } = open({ plans, at: instant(startsAt) })
    await farebox.customers.create({ id: 'ada', timeZone })
    const { trialEndsAt } = await farebox.subscriptions.create({ customerId: 'ada', plan: 'plan' })
    clock.set(trialEndsAt ?? 0)
    const { invoices } = await farebox.closePeriods()
    const { anchor } = (await farebox.subscriptions.get('ada')) ?? { anchor: 0 }
    const date = (at: number): string => new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short' }).format(at)
    return {
      anchorDay: Number(date(anchor).slice(-2)),
      firstPeriod: linesOf(invoices, 'plan_base').flatMap(({ period }) => period.map(date)),
      amount: amountOf(invoices, 'plan_base'),
    }
  },
  theirs: ({ expected }) => expected,
})

run<
  Vector & {
    readonly used: string
    /** For whatever is used of the feature. */
    readonly fee: string
    /** Of the usage lines of all invoices, after the first was withdrawn and its period was closed again. */
    readonly amounts: readonly string[]
  }
>('void-invoice', {
  ours: async ({ used, fee }) => {
    const plans = {
      plan: { price: '1.00', interval: 'month', features: { units: { overage: { model: 'flat', price: fee } } } },
    } as const
    const { farebox, clock } = open({ plans, at: instant('2026-01-01') })
    const { usagePeriod } = await farebox.subscriptions.create({ customerId: 'ada', plan: 'plan' })
    await farebox.usage.track({ customerId: 'ada', feature: 'units', value: used })
    clock.set(usagePeriod?.[1] ?? 0)
    const { invoices } = await farebox.closePeriods()
    const billed = invoices.find(({ lines }) => lines.some(({ feature }) => feature !== null))
    await farebox.invoices.void(billed?.id ?? '')
    await farebox.closePeriods()
    const usage = linesOf((await farebox.invoices.list()).items, 'feature_usage')
    return usage.map(({ amount }) => formatMoney(amount))
  },
  theirs: ({ amounts }) => amounts,
})

interface Opening extends Pick<FareboxOptions, 'tax'> {
  readonly plans: Readonly<Record<string, PlanDefinition<'units'>>>
  readonly at: number
}

function open({ plans, at, tax }: Opening) {
  const catalog = defineCatalog({ currency: CURRENCY, features: { units: { type: 'metered' } }, plans })
  const clock = testClock(at)
  const farebox = createFarebox({ catalog, clock, store: sqlite({ path: ':memory:' }), ...(tax === undefined ? {} : { tax }) })
  onTestFinished(() => farebox.stop())
  return { farebox, clock }
}

function linesOf(invoices: readonly Invoice[], type: LineType): InvoiceLine[] {
  return invoices.flatMap(({ lines }) => lines.filter((line) => line.type === type))
}

function amountOf(invoices: readonly Invoice[], type: LineType): string {
  const amounts = linesOf(invoices, type).map(({ amount }) => amount)
  return formatMoney(sumMoney(amounts, CURRENCY))
}
