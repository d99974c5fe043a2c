/** What an interval lacks to its committed minimum, as other systems say. */

import { withEnd } from '../../src/account/change-segments.ts'
import type { PlanInterval } from '../../src/catalog/plan.ts'
import { billedUpTo } from '../../src/preview.ts'
import { formatMoney } from '../../src/values/money.ts'
import { accountWith, catalogOf, FEBRUARY, offersOf, subscribedTo, usedOf } from '../accounts.ts'
import { run, type Vector } from './table.ts'

interface MinimumVector extends Vector {
  readonly interval: PlanInterval
  /** A price below half a cent is a base line of nothing. */
  readonly price: string
  readonly minimum: string
  /** What usage comes to. */
  readonly usage: string
  /** Of the first month, which has 28: when the plan ends. */
  readonly days: number
  readonly lacking: string
}

run<MinimumVector>('minimums', {
  ours: ({ interval, price, minimum, usage, days }) => {
    const calls = { overage: { model: 'per_unit', price: '1' } } as const
    const catalog = catalogOf({ pro: { price, interval, minimum, features: { calls } } })
    const begun = subscribedTo(catalog, 'pro', { startsAt: FEBRUARY })
    const end = FEBRUARY + days * 86_400_000
    const subscription = days === 28 ? begun : withEnd({ subscription: begun, at: end, credit: null })
    const state = accountWith(subscription, { usage: [usedOf('calls', usage, { periodStart: FEBRUARY })] })
    const { invoices } = billedUpTo(state, end, new Map(), offersOf(catalog))
    const line = invoices.at(-1)?.lines.find(({ type }) => type === 'minimum_commitment')
    return line === undefined ? '0.00' : formatMoney(line.amount)
  },
  theirs: ({ lacking }) => lacking,
})
