/** A store from its opening to its end, and what it holds afterwards. */

import type { Store } from '@farebox/core/contracts'
import { expect } from 'vitest'
import { accountOf, allOf, logOf, write } from '../account.ts'
import type { StoreCheck } from '../check.ts'
import {
  CATALOG,
  chargeOf,
  customerEntry,
  drafted,
  FEBRUARY,
  finalized,
  given,
  granted,
  JANUARY,
  paid,
  posted,
  released,
  reserved,
  subscriptionOf,
  UNIT,
  unpriced,
} from '../records.ts'

/** Something of everything, for two customers. */
async function fill(store: Store): Promise<void> {
  await store.saveCatalog(CATALOG)
  for (const customerId of ['bob', 'ada']) {
    const target = { customerId }
    const secretHash = 'ab'.repeat(32)
    const apiKey = { id: `key-${customerId}`, customerId, name: 'CI', secretHash, createdAt: JANUARY, revokedAt: null }
    await write(store, [customerEntry(customerId, { name: 'Somebody', email: 'a@example.test', country: 'AT' })], target)
    await write(store, [{ kind: 'subscription', subscription: subscriptionOf(`sub-${customerId}`, target) }], target)
    await write(
      store,
      [{ kind: 'api_key', apiKey }, given('k1', target), posted('e2', { ...target, feature: 'downloads' })],
      target,
    )
    await write(store, [drafted(`i1-${customerId}`, target), drafted(`i2-${customerId}`, target)], target)
    await write(store, [finalized(`i1-${customerId}`, { invoice: target, sealed: ['api_calls'] })], target)
    await write(
      store,
      [posted('e3', { ...target, periodStart: FEBRUARY, quantity: 1n }), reserved(`r-${customerId}`, target)],
      target,
    )
    const charge = chargeOf({ g1: '1.5' })
    await write(store, [granted('g1'), granted('g2', { isClosed: true }), paid('p1'), unpriced('u1')], target)
    await write(
      store,
      [
        posted('late', { ...target, charge }),
        reserved(`held-${customerId}`, { ...target, charge }),
        { kind: 'counted', counter: 'SPRING', limit: 9 },
        { kind: 'collected', invoiceId: `i1-${customerId}`, status: 'paid' },
      ],
      target,
    )
  }
}

const RECORD_KINDS = ['grant', 'payment', 'unpriced'] as const

/** All that a store answers. */
async function answersOf(store: Store): Promise<object> {
  const customerIds = await allOf(store.customerIds)
  const totals = await allOf(store.totals)
  return {
    customerIds,
    totals,
    log: await logOf(store),
    events: await Promise.all(totals.map((total) => allOf((page) => store.events({ ...total, ...page })))),
    accounts: await Promise.all(customerIds.map((id) => accountOf(store, id, ['k1']))),
    apiKeys: await Promise.all(customerIds.map((id) => store.apiKeys(id))),
    totalsOf: await Promise.all(totals.map((total) => store.totalsOf(total))),
    recounts: await Promise.all(totals.map((total) => store.recount(total))),
    records: await Promise.all(RECORD_KINDS.map((kind) => allOf((page) => store.records({ kind, ...page })))),
    counters: await store.counters(),
    invoices: await allOf(store.invoices),
    catalogs: await store.catalogs(),
    due: await store.claimDue(FEBRUARY, 10),
  }
}

const refused = { code: 'stopped' }

export const LIFECYCLE_CHECKS: readonly StoreCheck[] = [
  {
    id: 'S10',
    level: 'MUST',
    title: 'several processes may open a new database at once, and all of them work',
    async run({ database, open, eye }) {
      const { openElsewhere = () => Promise.resolve() } = await database()
      const elsewhere = Array.from({ length: 3 }, openElsewhere)
      const opening = Array.from({ length: 4 }, () => open())
      // All have ended before anything is said of one.
      await Promise.allSettled([...elsewhere, ...opening])
      await Promise.all(elsewhere)
      const stores = await Promise.all(opening)
      await Promise.all(stores.map((store, i) => write(store, [posted(`e${i}`)])))
      expect(await eye.totals()).toMatchObject([{ quantity: 4n * UNIT, events: 4 }])
    },
  },
  {
    id: 'S11',
    level: 'MUST',
    title: 'a database that a newer program changed in a way this one does not understand is refused, and left as it is',
    async run({ database, open, eye }) {
      const store = await open()
      await write(store, [posted('e1')])
      await store.close()
      const before = await eye.events()
      await (await database()).becomeNewer()
      for (let tries = 0; tries < 2; tries += 1) await expect(open()).rejects.toMatchObject({ code: 'store_unsupported' })
      expect(await eye.events()).toEqual(before)
    },
  },
  {
    id: 'S12',
    level: 'MUST',
    title: 'every answer is the same after closing and opening',
    async run({ open, eye }) {
      const store = await open()
      await fill(store)
      const before = await answersOf(store)
      const seen = [await eye.customers(), await eye.events(), await eye.totals(), await eye.invoices()]
      await store.close()
      expect(await answersOf(await open())).toEqual(before)
      expect([await eye.customers(), await eye.events(), await eye.totals(), await eye.invoices()]).toEqual(seen)
      expect((await eye.reservations()).map(({ key }) => key)).toEqual(['held-ada', 'r-ada', 'held-bob', 'r-bob'])
    },
  },
  {
    id: 'S20',
    level: 'MUST',
    title: 'what several processes write each of them sees at once',
    async run({ open }) {
      const [one, two] = [await open(), await open()]
      for (const store of [one, two]) expect(await answersOf(store)).toMatchObject({ customerIds: [], log: [] })
      await fill(one)
      expect(await answersOf(two)).toEqual(await answersOf(one))
      for (let i = 0; i < 6; i += 1) {
        const [writer, other] = i % 2 === 0 ? [two, one] : [one, two]
        await write(writer, [given(`turn${i}`, { periodStart: FEBRUARY }), reserved(`r${i}`), drafted(`turn${i}`)])
        const { usage, known, reservations, drafts } = await accountOf(other, 'ada', [`turn${i}`])
        expect(usage.find((each) => each.periodStart === FEBRUARY)?.events).toBe(i + 2)
        expect([known.has(`turn${i}`), reservations.has(`r${i}`), drafts.has(`turn${i}`)]).toEqual([true, true, true])
      }
      expect(await answersOf(two)).toEqual(await answersOf(one))
    },
  },
  {
    id: 'S19',
    level: 'MUST',
    title: 'a change that may wait is seen at once by what is asked after it, and written in time without being waited for',
    async run({ open, eye }) {
      const store = await open()
      const soon = { urgency: 'soon' } as const
      await write(store, [reserved('r1')])
      const settled = write(store, [released('r1')], soon)
      expect((await accountOf(store)).usage).toEqual([])
      await settled
      expect(await eye.reservations()).toEqual([])
      const ids = Array.from({ length: 20 }, (_, i) => `c${i}`)
      await Promise.all(ids.map((customerId) => write(store, [posted('e1', { customerId })], { customerId, ...soon })))
      expect(await eye.events()).toHaveLength(ids.length)
    },
  },
  {
    id: 'S42',
    level: 'MUST',
    title: 'flush resolves when all that was asked for is written',
    async run({ open, eye }) {
      const store = await open()
      await store.flush()
      const ids = Array.from({ length: 20 }, (_, i) => `c${i}`)
      const asked = ids.map((customerId, i) =>
        write(store, [posted('e1', { customerId })], { customerId, urgency: i % 2 === 0 ? 'soon' : 'now' }),
      )
      await store.flush()
      expect(await eye.events()).toHaveLength(ids.length)
      await Promise.all(asked)
    },
  },
  {
    id: 'S43',
    level: 'MUST',
    title: 'a reading holds what was asked of the same store before it, answered or not',
    async run({ open }) {
      const store = await open()
      const soon = { urgency: 'soon' } as const
      const asked = [write(store, [posted('e1')], soon)]
      expect(await logOf(store)).toHaveLength(1)
      asked.push(write(store, [posted('e2')], soon))
      expect(await allOf(store.totals)).toMatchObject([{ events: 2 }])
      asked.push(write(store, [drafted('i1', { customerId: 'bob' })], { customerId: 'bob', ...soon }))
      expect(await store.invoice('i1')).toMatchObject({ customerId: 'bob' })
      asked.push(write(store, [], { customerId: 'cleo', ...soon }))
      expect(await allOf(store.customerIds)).toEqual(['ada', 'bob', 'cleo'])
      await Promise.all(asked)
    },
  },
  {
    id: 'S44',
    level: 'MUST',
    title: 'closing writes what waits, and may be asked for twice',
    async run({ open, eye }) {
      const store = await open()
      const asked = [write(store, [posted('e1')], { urgency: 'soon' }), write(store, [posted('e2')])]
      await Promise.all([store.close(), store.close()])
      await Promise.all(asked)
      await store.close()
      expect((await eye.events()).map(({ key }) => key)).toEqual(['e1', 'e2'])
    },
  },
  {
    id: 'S45',
    level: 'MUST',
    title: 'a closed store refuses every change and every reading',
    async run({ open, eye }) {
      const store = await open()
      await write(store, [posted('e1'), reserved('r1')])
      await store.close()
      for (const urgency of ['now', 'soon'] as const)
        await expect(write(store, [posted('e2')], { urgency })).rejects.toMatchObject(refused)
      const total = { customerId: 'ada', feature: 'api_calls', periodStart: JANUARY }
      const readings: (() => Promise<unknown>)[] = [
        () => store.log({}),
        () => store.events(total),
        () => store.recount(total),
        () => store.totalsOf(total),
        () => store.totals({}),
        () => store.records({ kind: 'grant' }),
        () => store.counters(),
        () => store.invoices({}),
        () => store.invoice('i1'),
        () => store.apiKey('k1'),
        () => store.apiKeys('ada'),
        () => store.customerIds({}),
        () => store.catalogs(),
        () => store.saveCatalog(CATALOG),
        () => store.claimDue(FEBRUARY, 1),
        () => store.orphans(),
      ]
      for (const read of readings) await expect(read()).rejects.toMatchObject(refused)
      expect((await eye.events()).map(({ key }) => key)).toEqual(['e1'])
    },
  },
  {
    id: 'S46',
    level: 'SHOULD',
    title: 'an open store tells what it is, which version, where, and what survives',
    async run({ open }) {
      const { facts } = await open()
      for (const fact of [facts.name, facts.location, facts.version]) expect(fact).toMatch(/\S/)
      expect(['full', 'process']).toContain(facts.durability)
    },
  },
]
