/** Invoices: drafts that are made again, numbers without gaps, and what is final. */

import type { Entry, InvoiceStatus, Store } from '@farebox/core/contracts'
import { expect } from 'vitest'
import { accountOf, allOf, isRefused, write, UNWRITABLE } from '../account.ts'
import type { StoreCheck } from '../check.ts'
import { drafted, FEBRUARY, finalized, given, invoiceOf, JANUARY, posted, reserved, SERIES, UNIT } from '../records.ts'

const dollars = (minor: bigint) => ({ total: { minor, currency: 'USD' } })

const collected = (invoiceId: string, status: InvoiceStatus): Entry => ({ kind: 'collected', invoiceId, status })

/** The last digits of a written number. */
const numberOf = (text: string | null | undefined): number => Number(text?.slice(-6))

export const INVOICE_CHECKS: readonly StoreCheck[] = [
  {
    id: 'S37',
    level: 'MUST',
    title: 'a draft is replaced when it is made again, and stands in the account of its customer until it is final',
    async run({ open, eye }) {
      const [one, two] = [await open(), await open()]
      await write(one, [drafted('i1', dollars(1n)), drafted('i2')])
      await write(two, [drafted('i1', { ...dollars(2n), issuedAt: FEBRUARY + 1 })])
      const again = invoiceOf('i1', { ...dollars(2n), issuedAt: FEBRUARY + 1 })
      for (const store of [one, two]) {
        const { drafts } = await accountOf(store)
        expect(new Map(drafts)).toEqual(new Map([again, invoiceOf('i2')].map((draft) => [draft.id, draft])))
        expect(await store.invoice('i1')).toEqual(again)
      }
      expect(await eye.invoices()).toMatchObject([
        { id: 'i1', customer: 'ada', status: 'draft', series: null, number: null },
        { id: 'i2', status: 'draft', series: null, number: null },
      ])
      await write(two, [finalized('i1')])
      for (const store of [one, two]) expect([...(await accountOf(store)).drafts.keys()]).toEqual(['i2'])
      expect((await accountOf(one, 'bob')).drafts.size).toBe(0)
    },
  },
  {
    id: 'S38',
    level: 'MUST',
    title: 'numbers have no gap within a series: each is taken with its invoice, by whichever process, or not at all',
    async run({ open, eye }) {
      const stores = [await open(), await open()] as const
      const ids = Array.from({ length: 30 }, (_, i) => `c${i}`)
      const storeOf = (i: number): Store => stores[i % 2] as Store
      await Promise.all(
        ids.map((customerId, i) => write(storeOf(i), [drafted(`i-${customerId}`, { customerId })], { customerId })),
      )
      const finals = await Promise.allSettled(
        ids.map((customerId, i) => {
          const final = finalized(`i-${customerId}`, { invoice: { customerId }, series: i % 3 === 0 ? 'EU' : SERIES })
          return write(storeOf(i), i % 5 === 4 ? [final, UNWRITABLE] : [final], { customerId })
        }),
      )
      expect(finals.map(({ status }) => status)).toEqual(ids.map((_, i) => (i % 5 === 4 ? 'rejected' : 'fulfilled')))
      const numbered = (await eye.invoices()).filter(({ number }) => number !== null)
      for (const [series, count] of [
        ['EU', 8],
        [SERIES, 16],
      ]) {
        const numbers = numbered.filter((invoice) => invoice.series === series).map(({ number }) => Number(number))
        expect(numbers.toSorted((a, b) => a - b)).toEqual(Array.from({ length: Number(count) }, (_, i) => i + 1))
      }
      await write(stores[0], [finalized('i-c4', { invoice: { customerId: 'c4' } })], { customerId: 'c4' })
      expect((await stores[1].invoice('i-c4'))?.number).toBe(`${SERIES}-000017`)
    },
  },
  {
    id: 'S39',
    level: 'MUST',
    title: 'a final invoice never changes: it is neither drafted nor made final again',
    async run({ open, eye }) {
      const [one, two] = [await open(), await open()]
      await write(one, [drafted('i1'), finalized('i1')])
      const [before] = await eye.invoices()
      const final = await one.invoice('i1')
      expect(final).toEqual({ ...invoiceOf('i1'), number: `${SERIES}-000001`, status: 'open', finalizedAt: FEBRUARY })
      for (const store of [one, two, one]) {
        expect(await isRefused(write(store, [drafted('i1', dollars(1n))]))).toBe(true)
        expect(await isRefused(write(store, [finalized('i1', { invoice: dollars(1n) })]))).toBe(true)
        expect((await accountOf(store)).drafts.size).toBe(0)
        expect(await store.invoice('i1')).toEqual(final)
      }
      expect(await eye.invoices()).toEqual([before])
      await write(two, [drafted('i2'), finalized('i2')])
      expect((await two.invoice('i2'))?.number).toBe(`${SERIES}-000002`)
    },
  },
  {
    id: 'S40',
    level: 'MUST',
    title: 'usage that a final invoice holds leaves the open account, and nothing is posted into it any more',
    async run({ open, eye }) {
      const [one, two] = [await open(), await open()]
      await write(one, [posted('e1'), posted('e2', { feature: 'downloads' }), posted('e3', { periodStart: FEBRUARY })])
      await write(one, [reserved('r1', { feature: 'downloads' })])
      await accountOf(two)
      await write(one, [drafted('i1'), finalized('i1', { sealed: ['api_calls'] })])
      const stillOpen = [
        { feature: 'downloads', periodStart: JANUARY, posted: UNIT, reserved: UNIT, events: 1 },
        { feature: 'api_calls', periodStart: FEBRUARY, posted: UNIT, reserved: 0n, events: 1 },
      ]
      const totals = await eye.totals()
      expect(totals.map(({ feature, periodStart, invoice }) => [feature, periodStart, invoice])).toEqual([
        ['api_calls', JANUARY, 'i1'],
        ['api_calls', FEBRUARY, null],
        ['downloads', JANUARY, null],
      ])
      for (const store of [one, two]) {
        expect((await accountOf(store)).usage).toMatchObject(stillOpen)
      }
      // What comes late is held by no invoice yet.
      await write(two, [posted('late'), given('later'), posted('e4', { periodStart: FEBRUARY })])
      for (const store of [one, two]) {
        const [late, ...others] = (await accountOf(store)).usage
        expect(late).toMatchObject({ feature: 'api_calls', periodStart: JANUARY, posted: 2n * UNIT, events: 2 })
        expect(others).toMatchObject([stillOpen[0], { ...stillOpen[1], posted: 2n * UNIT, events: 2 }])
        const invoiced = { customerId: 'ada', feature: 'api_calls', periodStart: JANUARY, invoiceId: 'i1' }
        expect(await store.recount(invoiced)).toMatchObject({ quantity: UNIT, events: 1 })
        expect((await store.events(invoiced)).items.map(({ key }) => key)).toEqual(['e1'])
      }
      expect((await eye.totals()).filter(({ invoice }) => invoice !== null)).toEqual([totals[0]])
    },
  },
  {
    id: 'S41',
    level: 'MUST',
    title: 'invoices are listed in the order in which they were made, of all customers or of one, and found by id and number',
    async run({ open }) {
      const store = await open()
      const made = ['i9', 'i1', 'i5', 'i3', 'i7', 'i2']
      for (const [i, id] of made.entries()) {
        const customerId = i % 2 === 0 ? 'zoe' : 'ada'
        await write(store, [drafted(id, { customerId })], { customerId })
      }
      // Neither what is made again nor what becomes final changes its place.
      for (const id of ['i5', 'i9'])
        await write(store, [drafted(id, { customerId: 'zoe' }), finalized(id, { invoice: { customerId: 'zoe' } })], {
          customerId: 'zoe',
        })
      const idsOf = async (customerId?: string) =>
        (await allOf((page) => store.invoices({ ...page, customerId }), 2)).map(({ id }) => id)
      expect(await idsOf()).toEqual(made)
      expect(await idsOf('zoe')).toEqual(['i9', 'i5', 'i7'])
      expect(await idsOf('ada')).toEqual(['i1', 'i3', 'i2'])
      expect(await idsOf('nobody')).toEqual([])
      const numbered = await store.invoice(`${SERIES}-000001`)
      expect([numbered?.id, numbered?.customerId, numberOf(numbered?.number)]).toEqual(['i5', 'zoe', 1])
      expect(await store.invoice('i5')).toEqual(numbered)
      expect(await store.invoice('i3')).toEqual(invoiceOf('i3'))
      for (const unknown of ['i4', `${SERIES}-000003`, 'XX-000001', `${SERIES}-1`])
        expect(await store.invoice(unknown)).toBeNull()
    },
  },
  {
    id: 'S51',
    level: 'MUST',
    title: 'a final invoice becomes paid, void or uncollectible, and nothing else of it changes; a draft does not',
    async run({ open, eye }) {
      const stores = [await open(), await open()] as const
      await write(stores[0], [drafted('i1'), finalized('i1'), drafted('i2')])
      const final = await stores[1].invoice('i1')
      const [before] = await eye.invoices()
      for (const [i, status] of (['uncollectible', 'open', 'void', 'paid'] as const).entries()) {
        await write(stores[i % 2] as Store, [collected('i1', status)])
        for (const store of stores) expect(await store.invoice('i1')).toEqual({ ...final, status })
        expect((await eye.invoices())[0]).toEqual({ ...before, status })
      }
      const refusals = [collected('i2', 'paid'), collected('i9', 'paid'), collected('i1', 'draft')]
      for (const entry of refusals) expect(await isRefused(write(stores[1], [entry]))).toBe(true)
      expect(await isRefused(write(stores[1], [collected('i1', 'void')], { customerId: 'bob' }))).toBe(true)
      await write(stores[1], [drafted('i3'), finalized('i3'), collected('i3', 'paid')])
      expect((await eye.invoices()).map(({ id, status, number }) => [id, status, number])).toEqual([
        ['i1', 'paid', 1],
        ['i3', 'paid', 2],
        ['i2', 'draft', null],
      ])
    },
  },
]
