/** The one door for writes: a change sees the latest state, and is written whole or not at all. */

import {
  type AccountState,
  type Change,
  type ChangeRequest,
  type ChangeTarget,
  findUsage,
  type Store,
} from '@farebox/core/contracts'
import { expect } from 'vitest'
import { accountOf, allOf, UNWRITABLE, write } from '../account.ts'
import type { StoreCheck } from '../check.ts'
import {
  CATALOG,
  customerEntry,
  drafted,
  finalized,
  given,
  granted,
  JANUARY,
  opening,
  paid,
  posted,
  released,
  reserved,
  subscriptionOf,
  UNIT,
} from '../records.ts'

const ALLOWANCE = 20n * UNIT

/** Posted and reserved units. */
function used(state: AccountState): bigint {
  const usage = findUsage(state.usage, 'api_calls', JANUARY)
  return usage === undefined ? 0n : usage.posted + usage.reserved
}

/** Reserves one unit unless the allowance is used up. */
function admit(store: Store, key: string, allowance: bigint): Promise<boolean> {
  return store.change({ customerId: 'ada' }, (state) => {
    if (used(state) + UNIT > allowance) return { result: false, entries: [] }
    return { result: true, entries: [...opening(state), reserved(key)] }
  })
}

const sum = (parts: readonly { readonly quantity: bigint }[]): bigint => parts.reduce((all, { quantity }) => all + quantity, 0n)

export const CHANGE_CHECKS: readonly StoreCheck[] = [
  {
    id: 'S03',
    level: 'MUST',
    title: 'of 50 changes at once on one account, through two stores, none is lost, and no more is reserved than is allowed',
    async run({ open, eye }) {
      const stores = [await open(), await open()] as const
      const admitted = await Promise.all(Array.from({ length: 50 }, (_, i) => admit(stores[i % 2] as Store, `r${i}`, ALLOWANCE)))
      expect(admitted.filter(Boolean)).toHaveLength(20)
      expect(sum(await eye.reservations())).toBe(ALLOWANCE)
      const added = Array.from({ length: 50 }, (_, i) =>
        write(stores[i % 2] as Store, [posted(`e${i}`, { quantity: BigInt(i) })]),
      )
      await Promise.all(added)
      expect(await eye.totals()).toMatchObject([{ quantity: 1_225n, events: 50 }])
      for (const store of stores) expect(used(await accountOf(store))).toBe(ALLOWANCE + 1_225n)
    },
  },
  {
    id: 'S04',
    level: 'MUST',
    title: 'when decide throws nothing is written, and whoever asked gets what it threw',
    async run({ open, eye }) {
      const store = await open()
      const thrown = new Error('no')
      const failing = store.change({ customerId: 'eve' }, () => {
        throw thrown
      })
      const passing = write(store, [posted('e1')])
      await expect(failing).rejects.toBe(thrown)
      await passing
      expect((await eye.customers()).map(({ customer }) => customer)).toEqual(['ada'])
      expect((await accountOf(store, 'eve')).customer).toBeNull()
    },
  },
  {
    id: 'S13',
    level: 'MUST',
    title: 'a change without entries writes nothing: who was only asked about is no customer',
    async run({ open, eye }) {
      const store = await open()
      expect(await store.change({ customerId: 'ada' }, () => ({ result: 42, entries: [] }))).toBe(42)
      await store.change({ customerId: 'bob', keys: ['k1'], urgency: 'soon' }, () => ({ result: undefined, entries: [] }))
      expect(await eye.customers()).toEqual([])
      expect(await allOf(store.customerIds)).toEqual([])
      expect(await accountOf(store)).toMatchObject({ customer: null, subscription: null, usage: [] })
    },
  },
  {
    id: 'S14',
    level: 'MUST',
    title: 'an entry that cannot be written takes its whole change back, and leaves the changes beside it as they are',
    async run({ open, eye }) {
      const store = await open()
      await write(store, [given('k1', { quantity: 1n })])
      const before = write(store, [posted('b1', { customerId: 'bob' })], { customerId: 'bob' })
      const broken = [
        // The log holds this key.
        write(store, [posted('e2'), given('k1', { quantity: 2n })]),
        // Nobody reserved it.
        write(store, [posted('e3'), reserved('r3'), UNWRITABLE]),
      ]
      const after = [write(store, [posted('e4')]), write(store, [posted('b2', { customerId: 'bob' })], { customerId: 'bob' })]
      const answers = await Promise.allSettled([before, ...broken, ...after])
      const passed = ['fulfilled', 'rejected', 'rejected', 'fulfilled', 'fulfilled']
      expect(answers.map(({ status }) => status)).toEqual(passed)
      expect((await eye.events()).map(({ key }) => key)).toEqual(['k1', 'e4', 'b1', 'b2'])
      expect(await eye.reservations()).toEqual([])
      const account = await accountOf(store)
      expect(account.usage).toMatchObject([{ posted: UNIT + 1n, reserved: 0n, events: 2 }])
      expect(account.reservations.size).toBe(0)
    },
  },
  {
    id: 'S15',
    level: 'MUST',
    title: 'the entries of one change take effect in their order: an account may be made, used and invoiced at once',
    async run({ open, eye }) {
      const store = await open()
      await store.saveCatalog(CATALOG)
      const whole = [
        customerEntry('ada'),
        { kind: 'subscription', subscription: subscriptionOf('sub-ada') },
        reserved('r1'),
        reserved('r2'),
        posted('r1', { quantity: 3n }),
        released('r2'),
        given('k1', { quantity: 4n }),
        drafted('sub-ada-0'),
        finalized('sub-ada-0', { sealed: ['api_calls'] }),
      ] as const
      await store.change({ customerId: 'ada' }, () => ({ result: undefined, entries: whole }))
      expect((await eye.events()).map(({ key }) => key)).toEqual(['r1', 'k1'])
      expect(await eye.totals()).toMatchObject([{ quantity: 7n, events: 2, invoice: 'sub-ada-0' }])
      expect(await eye.reservations()).toEqual([])
      expect(await eye.invoices()).toMatchObject([{ id: 'sub-ada-0', status: 'open', number: 1 }])
      const account = await accountOf(store)
      expect(account.subscription).toEqual(subscriptionOf('sub-ada'))
      expect([account.usage.length, account.reservations.size, account.drafts.size]).toEqual([0, 0, 0])
    },
  },
  {
    id: 'S17',
    level: 'MUST',
    title: 'the changes of many customers at once are each their own, and each gets its own answer',
    async run({ open, eye }) {
      const store = await open()
      const ids = Array.from({ length: 300 }, (_, i) => `c${i}`)
      const changed = ids.flatMap((customerId, i) =>
        [1, 2].map((turn) =>
          store.change({ customerId }, (state) => ({
            result: [state.customerId, used(state)],
            entries: [...opening(state), posted(`e${turn}`, { customerId, quantity: BigInt(i) })],
          })),
        ),
      )
      const answers = ids.flatMap((customerId, i) => [
        [customerId, 0n],
        [customerId, BigInt(i)],
      ])
      expect(await Promise.all(changed)).toEqual(answers)
      expect(await eye.customers()).toHaveLength(ids.length)
      const totals = new Map((await eye.totals()).map(({ customer, quantity }) => [customer, quantity]))
      for (const [i, customerId] of ids.entries()) expect(totals.get(customerId)).toBe(2n * BigInt(i))
    },
  },
  {
    id: 'S18',
    level: 'MUST',
    title: 'changes that are asked for in order are made in that order, whichever the customers',
    async run({ open, eye }) {
      const store = await open()
      const ids = Array.from({ length: 60 }, (_, i) => `c${(i * 37) % 60}`)
      const inOrder = true
      await Promise.all(ids.map((customerId) => write(store, [], { customerId, inOrder })))
      expect(await allOf(store.customerIds)).toEqual(ids)
      await Promise.all(ids.map((customerId) => write(store, [drafted(`i-${customerId}`, { customerId })], { customerId })))
      const finals = ids.map((customerId) => {
        const final = finalized(`i-${customerId}`, { invoice: { customerId } })
        return write(store, [final], { customerId, inOrder })
      })
      await Promise.all(finals)
      const numbered = (await eye.invoices()).toSorted((a, b) => Number(a.number) - Number(b.number))
      expect(numbered.map(({ customer }) => customer)).toEqual(ids)
    },
  },
  {
    id: 'S58',
    level: 'MUST',
    title: 'a change sees the invoices and records that it names, final and closed ones too, as the changes before it left them',
    async run({ open }) {
      const [one, two] = [await open(), await open()]
      await write(one, [drafted('i1'), finalized('i1'), granted('g1'), paid('p1')])
      await write(one, [granted('g1')], { customerId: 'bob' })
      const target = {
        invoices: ['i1', 'i2', 'i9'],
        records: [
          { kind: 'grant', id: 'g1' },
          { kind: 'payment', id: 'p1' },
          { kind: 'payment', id: 'p9' },
        ],
      } as const
      const seenBy = (store: Store, customerId = 'ada') =>
        store.change({ customerId, ...target }, ({ invoices, records }) => ({
          result: {
            invoices: [...invoices.values()].map(({ id, status }) => `${id} ${status}`),
            records: [...records].map(([name, { isOpen }]) => `${name} ${isOpen ? 'open' : 'closed'}`),
          },
          entries: [],
        }))
      for (const store of [one, two])
        expect(await seenBy(store)).toEqual({ invoices: ['i1 open'], records: ['grant g1 open', 'payment p1 open'] })
      // Of one turn, so that a store may write them together.
      const changes = [
        seenBy(one),
        write(one, [
          { kind: 'collected', invoiceId: 'i1', status: 'paid' },
          granted('g1', { isClosed: true }),
          paid('p1', { status: 'succeeded', endedAt: JANUARY }),
        ]),
        seenBy(one),
        write(one, [drafted('i2')]),
        write(one, [finalized('i2')]),
        seenBy(one),
      ]
      const answers = await Promise.all(changes)
      const before = { invoices: ['i1 open'], records: ['grant g1 open', 'payment p1 open'] }
      const closed = ['grant g1 closed', 'payment p1 closed']
      expect(answers[0]).toEqual(before)
      expect(answers[2]).toEqual({ invoices: ['i1 paid'], records: closed })
      expect(answers[5]).toEqual({ invoices: ['i1 paid', 'i2 open'], records: closed })
      for (const store of [one, two]) {
        expect(await seenBy(store)).toEqual({ invoices: ['i1 paid', 'i2 open'], records: closed })
        expect(await seenBy(store, 'bob')).toEqual({ invoices: [], records: ['grant g1 open'] })
        const unasked = await accountOf(store)
        expect([unasked.invoices.size, unasked.records.size]).toEqual([0, 0])
      }
      const [number] = await two.change({ customerId: 'ada', invoices: ['i2'] }, ({ invoices }) => ({
        result: [...invoices.values()].map((invoice) => invoice.number),
        entries: [],
      }))
      expect(number).toBe('FB-000002')
    },
  },
  {
    id: 'S59',
    level: 'MUST',
    title: 'submit tells once what became of a change, its result when it is durable or what decide threw, and never throws',
    async run({ open, eye }) {
      const store = await open()
      const told: (readonly [customerId: string, by: string, what: unknown])[] = []
      /** Resolves with whose events the database held when it was told. */
      const submit = (target: ChangeTarget, decide: ChangeRequest['decide']): Promise<string[]> =>
        new Promise((resolve) => {
          const tell = (by: string, what: unknown): void => {
            told.push([target.customerId, by, what])
            const seen = eye.events().then((events) => events.map(({ customer }) => customer))
            // A check that fails leaves answers behind for which nobody waits.
            seen.catch(() => {})
            resolve(seen)
          }
          const request: ChangeRequest = {
            target,
            decide,
            resolve: (result) => tell('resolve', result),
            reject: (error) => tell('reject', error),
          }
          expect(() => store.submit(request)).not.toThrow()
        })
      const thrown = new Error('no')
      const atOnce = submit({ customerId: 'ada' }, useOnce)
      const soon = submit({ customerId: 'bob', urgency: 'soon' }, useOnce)
      const failing = submit({ customerId: 'eve' }, () => {
        throw thrown
      })
      const [first, second, third] = await Promise.all([atOnce, soon, failing])
      expect(first).toContain('ada')
      expect(second).toContain('bob')
      expect(third).not.toContain('eve')
      await store.close()
      expect(await submit({ customerId: 'zoe' }, useOnce)).not.toContain('zoe')
      expect(told.toSorted(([one], [other]) => (one < other ? -1 : 1))).toEqual([
        ['ada', 'resolve', 'for ada'],
        ['bob', 'resolve', 'for bob'],
        ['eve', 'reject', thrown],
        ['zoe', 'reject', expect.any(Error)],
      ])
      expect(told.find(([customerId]) => customerId === 'eve')?.[2]).toBe(thrown)
    },
  },
]

/** Posts an event of whoever is asked about, and says whose. */
function useOnce(state: AccountState): Change<string> {
  return { result: `for ${state.customerId}`, entries: [...opening(state), posted('e1', { customerId: state.customerId })] }
}
