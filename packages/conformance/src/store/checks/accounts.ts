/** Customers, their subscriptions and keys, and the catalogs that they were sold. */

import {
  type ApiKeyRecord,
  type Customer,
  decimal,
  type Store,
  type StoredCatalog,
  type Subscription,
} from '@farebox/core/contracts'
import { expect } from 'vitest'
import { accountOf, allOf, write } from '../account.ts'
import type { StoreCheck } from '../check.ts'
import { CATALOG, customerEntry, FEBRUARY, JANUARY, MOST, segmentOf, subscriptionOf } from '../records.ts'

const apiKey = (id: string, change: Partial<ApiKeyRecord> = {}): ApiKeyRecord => ({
  id,
  customerId: 'ada',
  name: null,
  secretHash: 'ab'.repeat(32),
  createdAt: JANUARY,
  revokedAt: null,
  ...change,
})

const keep = (store: Store, record: ApiKeyRecord): Promise<void> =>
  write(store, [{ kind: 'api_key', apiKey: record }], { customerId: record.customerId })

const subscribe = (store: Store, subscription: Subscription): Promise<void> =>
  write(store, [{ kind: 'subscription', subscription }], { customerId: subscription.customerId })

/** A subscription with its next moment. */
const dueOf = (customerId: string, dueAt: number | null): Subscription =>
  subscriptionOf(`sub-${customerId}`, { customerId, dueAt, segments: [segmentOf({ startsAt: JANUARY - 1 })] })

const byVersion = (catalogs: readonly StoredCatalog[]): StoredCatalog[] =>
  catalogs.toSorted((a, b) => (a.version < b.version ? -1 : 1))

export const ACCOUNT_CHECKS: readonly StoreCheck[] = [
  {
    id: 'S32',
    level: 'MUST',
    title: 'customers are listed in the order in which they were first seen, by whichever process, and stay in their places',
    async run({ open, eye }) {
      const stores = [await open(), await open()] as const
      const ids = ['m', 'c', 'z', 'a', 'b', 'y']
      for (const [i, customerId] of ids.entries()) {
        const store = stores[i % 2] as Store
        // Asking about somebody is not seeing them.
        await accountOf(store, ids.at(-1 - i))
        const createdAt = JANUARY - i
        await store.change({ customerId }, () => ({ result: undefined, entries: [customerEntry(customerId, { createdAt })] }))
      }
      await write(stores[1], [customerEntry('m', { name: 'Ms M', timeZone: 'Europe/Berlin' })], { customerId: 'm' })
      for (const store of stores) expect(await allOf(store.customerIds, 4)).toEqual(ids)
      expect(await eye.customers()).toHaveLength(ids.length)
      const seen = (await eye.customers()).find(({ customer }) => customer === 'm')
      expect(seen).toMatchObject({ name: 'Ms M', email: null, timeZone: 'Europe/Berlin', createdAt: JANUARY })
    },
  },
  {
    id: 'S33',
    level: 'MUST',
    title: 'a customer and its subscription come back with every member, as they were written last',
    async run({ open, eye }) {
      const stores = [await open(), await open()] as const
      await stores[0].saveCatalog(CATALOG)
      const first = subscriptionOf('sub-1', {
        timeZone: 'Europe/Berlin',
        segments: [segmentOf({ anchor: JANUARY - 5 })],
        createdAt: JANUARY - 7,
      })
      const invoiced = { billedUntil: FEBRUARY, dueAt: null }
      const versions: Subscription[] = [
        first,
        { ...first, nextMoment: 1, dueAt: FEBRUARY },
        { ...first, ...invoiced, segments: [segmentOf({ plan: 'free' })], standing: 'past_due', nextMoment: 2 },
        { ...first, ...invoiced, segments: [segmentOf({ endsAt: FEBRUARY })], nextMoment: 2 },
        // Whoever comes back has another one in its place.
        subscriptionOf('sub-2', {
          segments: [segmentOf({ kind: 'trial', startsAt: FEBRUARY, anchor: FEBRUARY })],
          dueAt: FEBRUARY,
        }),
        subscriptionOf('sub-2', { segments: [segmentOf({ startsAt: FEBRUARY })], dueAt: null, standing: 'pending_payment' }),
      ]
      const seen = [
        ['sub-1', 'pro', 'active'],
        ['sub-1', 'pro', 'active'],
        ['sub-1', 'free', 'past_due'],
        ['sub-1', 'pro', 'canceled'],
        ['sub-2', 'pro', 'trialing'],
        ['sub-2', 'pro', 'pending_payment'],
      ]
      const customer = { id: 'ada', name: 'Ada', email: 'ada@example.test', timeZone: 'Asia/Kathmandu', createdAt: JANUARY }
      await write(stores[0], [{ kind: 'customer', customer }])
      for (const [i, subscription] of versions.entries()) {
        await subscribe(stores[i % 2] as Store, subscription)
        for (const store of [...stores, await open()]) expect(await accountOf(store)).toMatchObject({ customer, subscription })
        const rows = (await eye.customers()).map((row) => [row.subscription, row.plan, row.status])
        expect(rows).toEqual([seen[i]])
      }
    },
  },
  {
    id: 'S34',
    level: 'MUST',
    title:
      'the customers who are due by an instant come in the order of their moments, and those of one moment as they were first seen',
    async run({ open }) {
      const store = await open()
      await store.saveCatalog(CATALOG)
      const seen = ['e', 'd', 'c', 'b', 'a', 'never', 'future']
      for (const customerId of seen) await write(store, [], { customerId })
      const moments = { future: FEBRUARY + 1, b: FEBRUARY, never: null, e: FEBRUARY, a: JANUARY, d: JANUARY, c: FEBRUARY }
      for (const [customerId, dueAt] of Object.entries(moments)) await subscribe(store, dueOf(customerId, dueAt))
      expect(await store.claimDue(FEBRUARY, 10)).toEqual(['d', 'a', 'e', 'c', 'b'])
      expect(await store.claimDue(FEBRUARY, 3)).toEqual(['d', 'a', 'e'])
      expect(await store.claimDue(FEBRUARY - 1, 10)).toEqual(['d', 'a'])
      expect(await store.claimDue(JANUARY - 1, 10)).toEqual([])
      await subscribe(store, dueOf('a', FEBRUARY))
      await subscribe(store, dueOf('d', null))
      expect(await (await open()).claimDue(FEBRUARY, 10)).toEqual(['e', 'c', 'b', 'a'])
    },
  },
  {
    id: 'S35',
    level: 'MUST',
    title: 'API keys are found by their ids, revoked ones included, and listed for their customer, the oldest first',
    async run({ open }) {
      const [one, two] = [await open(), await open()]
      const middle = apiKey('k-middle', { createdAt: JANUARY + 5, name: 'CI' })
      const newest = apiKey('k-a', { createdAt: JANUARY + 9 })
      const oldest = apiKey('k-z')
      const other = apiKey('k-other', { customerId: 'bob', secretHash: 'cd'.repeat(32) })
      for (const record of [middle, newest, oldest, other]) await keep(one, record)
      const revoked = { ...middle, revokedAt: FEBRUARY }
      await keep(two, revoked)
      for (const store of [one, two, await open()]) {
        expect(await store.apiKeys('ada')).toEqual([oldest, revoked, newest])
        expect(await store.apiKeys('bob')).toEqual([other])
        expect(await store.apiKeys('nobody')).toEqual([])
        expect(await store.apiKey('k-middle')).toEqual(revoked)
        expect(await store.apiKey('k-other')).toEqual(other)
        expect(await store.apiKey('K-MIDDLE')).toBeNull()
      }
    },
  },
  {
    id: 'S36',
    level: 'MUST',
    title: 'a catalog is kept as it was saved first, for ever',
    async run({ open }) {
      const stores = [await open(), await open()] as const
      const second = { version: 'catalog-2', document: '{"name":"\u00DCber \u{1F9FE} \\"quoted\\" \\u0041","price":"0.10"}' }
      await stores[0].saveCatalog(CATALOG)
      const again = { version: CATALOG.version, document: '{"currency":"EUR"}' }
      await Promise.all([...stores, ...stores].flatMap((store) => [store.saveCatalog(again), store.saveCatalog(second)]))
      for (const store of [...stores, await open()]) expect(byVersion(await store.catalogs())).toEqual([CATALOG, second])
    },
  },
  {
    id: 'S53',
    level: 'MUST',
    title: 'what a customer has besides its name comes back with every member, and goes when it is left out',
    async run({ open, eye }) {
      const stores = [await open(), await open()] as const
      const bare: Customer = { id: 'ada', name: null, email: null, timeZone: 'UTC', createdAt: JANUARY }
      const whole: Customer = {
        ...bare,
        currency: 'EUR',
        country: 'DE',
        taxId: 'DE 123"456',
        isTaxExempt: false,
        paymentMethod: 'pm_\u{1F9FE}',
        autoTopUp: {
          threshold: decimal('5.50'),
          amount: decimal('20.000000000001'),
          coolDownMs: 60_000,
          monthlyCeiling: decimal('0'),
        },
      }
      for (const [i, customer] of [bare, whole, { ...bare, country: 'AT' }, bare].entries()) {
        await write(stores[i % 2] as Store, [{ kind: 'customer', customer }])
        for (const store of [...stores, await open()]) expect((await accountOf(store)).customer).toEqual(customer)
        const [seen] = await eye.customers()
        expect(seen?.details === null ? {} : JSON.parse(seen?.details ?? '')).toMatchObject(
          customer.country === undefined ? {} : { country: customer.country },
        )
        expect(seen?.details === null).toBe(customer === bare)
      }
    },
  },
  {
    id: 'S54',
    level: 'MUST',
    title: 'a subscription comes back with its segments, what was cut and credited, its discounts and what was paid',
    async run({ open }) {
      const store = await open()
      await store.saveCatalog(CATALOG)
      const first = segmentOf({
        kind: 'trial',
        every: { unit: 'week', count: 2 },
        periodsPerInterval: null,
        endsAt: JANUARY + 5,
        credit: { rule: 'max_consumption' },
      })
      const second = segmentOf({
        startsAt: JANUARY + 9,
        endsAt: FEBRUARY,
        plan: 'other',
        cut: { kind: 'price', share: [3, 31], usedBefore: { api_calls: '9223372036854775807' } },
      })
      const subscription = subscriptionOf('sub-1', {
        timeZone: 'Asia/Kathmandu',
        segments: [first, second, segmentOf({ kind: 'pause', startsAt: FEBRUARY })],
        standing: 'past_due',
        billedUntil: JANUARY + 5,
        nextMoment: 3,
        dueAt: null,
        discounts: [{ coupon: 'SPRING', catalogVersion: CATALOG.version, redeemedAt: JANUARY, cyclesLeft: null }],
        paidBase: { period: [JANUARY, FEBRUARY], amount: { minor: MOST, currency: 'USD' }, invoiceId: 'i1' },
        billedInInterval: { minor: -1n, currency: 'USD' },
      })
      await subscribe(store, subscription)
      for (const one of [store, await open()]) expect((await accountOf(one)).subscription).toEqual(subscription)
    },
  },
]
