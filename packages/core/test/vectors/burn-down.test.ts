/** Which grants pay for usage, in which order, as other billing systems say; through the meter, on a real store. */

import { onTestFinished } from 'vitest'
import type { AccountState } from '../../src/account/account-state.ts'
import { defineCatalog } from '../../src/catalog/define-catalog.ts'
import { createFarebox, type Farebox } from '../../src/farebox.ts'
import { type Grant, type GrantSource, remainingOf } from '../../src/records/grant.ts'
import { sqlite } from '../../src/sqlite/store.ts'
import { testClock } from '../../src/values/clock.ts'
import { add, decimal, DECIMAL_ZERO, formatDecimal } from '../../src/values/decimal.ts'
import { formatQuantity } from '../../src/values/quantity.ts'
import { instant, run, type Vector } from './table.ts'

interface GrantRow {
  readonly id: string
  readonly amount: string
  /** 0 without one. */
  readonly priority?: number
  readonly source?: GrantSource
  /** The begin of the table's time without one, for `created` as well. */
  readonly starts?: string
  /** Never without one. */
  readonly expires?: string
  readonly created?: string
  /** When what is left of it is taken back. */
  readonly voided?: string
  /** How many such grants there are, with `id` as the begin of their ids. One without it. */
  readonly times?: number
}

interface BurnDownVector extends Vector {
  readonly grants: readonly GrantRow[]
  /** In order; a unit costs one. */
  readonly uses: readonly (readonly [at: string, units: string])[]
  /** What the row asserts; what its source does not say is left out. */
  readonly expected: {
    /** Of each grant that is named. */
    readonly left?: Readonly<Record<string, string>>
    /** Of every other grant. */
    readonly otherwise?: string
    /** What no grant paid. */
    readonly overage?: string
    /** What a customer sees in the end. */
    readonly balance?: string
    /** Who paid for the last use, in order. */
    readonly order?: readonly string[]
  }
}

const BEGIN = '2026-01-01'

run<BurnDownVector>('burn-down', {
  ours: async ({ grants, uses, expected }) => {
    const account = await openAccount(grants)
    for (const [at, units] of uses) await account.use(instant(at), units)
    const { left, otherwise, overage, balance, order } = await account.figures(Object.keys(expected.left ?? {}))
    const answer: Record<string, unknown> = { left, otherwise, overage, balance, order }
    return Object.fromEntries(Object.keys(expected).map((name) => [name, answer[name]]))
  },
  theirs: ({ expected }) => expected,
})

/** A customer with prepaid money who is billed for what it does not cover. */
async function openAccount(rows: readonly GrantRow[]) {
  const catalog = defineCatalog({
    currency: 'USD',
    features: { units: { type: 'metered' } },
    plans: {
      prepaid: {
        price: '1.00',
        interval: 'month',
        consumption: 'balance',
        includedBalance: '0',
        default: true,
        features: { units: { price: { model: 'fixed', price: '1' } } },
      },
    },
  })
  const [store, clock] = [sqlite({ path: ':memory:' }), testClock(instant(BEGIN))]
  const farebox = createFarebox({ catalog, store, clock })
  onTestFinished(() => farebox.stop())
  await farebox.subscriptions.create({ customerId: 'ada', plan: 'prepaid' })
  await write(() => rows.flatMap(grantsOf))

  return {
    async use(at: number, units: string): Promise<void> {
      clock.set(at)
      await voidUntil(at)
      const { kind } = await farebox.usage.track({ customerId: 'ada', feature: 'units', value: units })
      if (kind !== 'recorded') throw new Error(`${units} units were ${kind}`)
    },
    async figures(named: readonly string[]) {
      await voidUntil(clock.now())
      return read((state) => ({ ...figuresOf(state, named) }), farebox)
    },
  }

  /** Grants whose row says that they are taken back by an instant. */
  function voidUntil(at: number): Promise<void> {
    const voided = rows.flatMap(({ id, voided: when }) => (when !== undefined && instant(when) <= at ? [id] : []))
    return write((state) =>
      voided.flatMap((id) => {
        const grant = state.grants.get(id)
        return grant === undefined ? [] : [{ ...grant, revoked: add(grant.revoked, remainingOf(grant)) }]
      }),
    )
  }

  /** By the store's own entries, as an operator's tool would. */
  function write(change: (state: AccountState) => readonly Grant[]): Promise<void> {
    return store.change({ customerId: 'ada' }, (state) => ({
      result: undefined,
      entries: change(state).map((grant) => ({ kind: 'granted', grant })),
    }))
  }

  async function read<T>(pick: (state: AccountState) => T, { usage, events }: Farebox) {
    const found = await store.change({ customerId: 'ada' }, (state) => ({ result: pick(state), entries: [] }))
    const [totals] = await usage.totals({ customerId: 'ada' })
    const last = (await events.list()).items.at(-1)
    return {
      ...found,
      balance: formatQuantity(totals?.remaining ?? -1n),
      order: (last?.charge?.parts ?? []).map(({ grant }) => grant),
    }
  }
}

function figuresOf({ grants, usage }: AccountState, named: readonly string[]) {
  const left = [...grants.values()].map((grant) => [grant.id, formatDecimal(remainingOf(grant))] as const)
  return {
    left: Object.fromEntries(left.filter(([id]) => named.includes(id))),
    otherwise: [...new Set(left.filter(([id]) => !named.includes(id)).map(([, amount]) => amount))].join(', '),
    overage: formatDecimal(usage.map(({ uncovered }) => uncovered).reduce(add, DECIMAL_ZERO)),
  }
}

function grantsOf({ id, amount, times, ...row }: GrantRow): Grant[] {
  const { priority = 0, source = 'top_up', starts = BEGIN, expires, created = BEGIN } = row
  const ids = times === undefined ? [id] : Array.from({ length: times }, (_, i) => `${id}-${i}`)
  return ids.map((own) => ({
    id: own,
    unit: 'balance',
    source,
    priority,
    granted: decimal(amount),
    revoked: DECIMAL_ZERO,
    used: DECIMAL_ZERO,
    held: DECIMAL_ZERO,
    startsAt: instant(starts),
    expiresAt: expires === undefined ? null : instant(expires),
    createdAt: instant(created),
    reference: null,
    isClosed: false,
  }))
}
