/** What is wrong with the log, the listings and the texts of stores that are broken on purpose. */

import type { Decimal } from '@farebox/core/contracts'
import { FEBRUARY, JANUARY } from '../../../src/store/records.ts'
import { changing, posting, type StoreFlaw, withItems } from '../broken.ts'

export const LOG_FLAWS: readonly StoreFlaw[] = [
  {
    name: 'keeps quantities as doubles',
    store: (store) => ({
      log: (page) =>
        withItems(store.log(page), (items) => items.map((event) => ({ ...event, quantity: BigInt(Number(event.quantity)) }))),
    }),
    breaks: ['S05'],
  },
  {
    name: 'reads the log in the order of instants',
    store: (store) => ({ log: (page) => withItems(store.log(page), (items) => items.toSorted((a, b) => a.at - b.at)) }),
    breaks: ['S06', 'S07'],
  },
  {
    name: 'reads the log from the newest on',
    store: (store) => ({
      async log({ after = '0', limit = 100 }) {
        const { items } = await store.log({ limit: 10_000 })
        const page = items.toReversed().slice(Number(after), Number(after) + limit)
        return { items: page, next: page.length < limit ? null : String(Number(after) + limit) }
      },
    }),
    breaks: ['S06', 'S25', 'S27'],
  },
  {
    name: 'puts a late event into the period that runs',
    store: (store) => {
      let newest = 0
      return posting(store, (posted) => {
        newest = Math.max(newest, posted.periodStart)
        return { ...posted, periodStart: newest }
      })
    },
    breaks: ['S07', 'S28'],
  },
  {
    name: 'leaves the first instant of a period to the one before',
    store: (store) =>
      posting(store, (posted) =>
        posted.periodStart === FEBRUARY && posted.event.at === FEBRUARY ? { ...posted, periodStart: JANUARY } : posted,
      ),
    breaks: ['S08'],
  },
  {
    name: 'reads the events of a total from the oldest on',
    store: (store) => ({ events: (query) => withItems(store.events(query), (items) => items.toReversed()) }),
    breaks: ['S07', 'S23'],
  },
  {
    name: 'goes on from a cursor of another total',
    store: (store) => ({ events: (query) => store.events(query).catch(() => ({ items: [], next: null })) }),
    breaks: ['S08', 'S24', 'S26', 'S27'],
  },
  {
    name: 'counts all periods of a feature as one',
    store: (store) => ({
      async recount({ customerId, feature }) {
        const { items } = await store.log({ limit: 10_000 })
        const own = items.filter((event) => event.customerId === customerId && event.feature === feature)
        const nothing = await store.recount({ customerId, feature, periodStart: 0, invoiceId: null })
        return { ...nothing, quantity: own.reduce((sum, { quantity }) => sum + quantity, 0n), events: own.length }
      },
    }),
    breaks: ['S08', 'S28', 'S40', 'S49', 'S56'],
  },
  {
    name: 'finds the events of a period and not of an invoice',
    store: (store) => ({ events: ({ invoiceId: _invoiceId, ...query }) => store.events(query) }),
    breaks: ['S40', 'S49'],
  },
  {
    name: 'counts what an invoice holds with what came later',
    store: (store) => ({ recount: ({ invoiceId: _invoiceId, ...query }) => store.recount(query) }),
    breaks: ['S40', 'S49'],
  },
  {
    name: 'tells the period of an event by its instant',
    store: (store) => ({
      log: (page) =>
        withItems(store.log(page), (items) =>
          items.map((event) => ({ ...event, periodStart: event.at < FEBRUARY ? JANUARY : FEBRUARY })),
        ),
    }),
    breaks: ['S56'],
  },
  {
    name: 'looks for no event by its place',
    store: (store) => changing(store, ({ seqs: _seqs, ...target }, decide) => store.change(target, decide)),
    breaks: ['S55'],
  },
  {
    name: 'takes units back whoever asks',
    store: (store) =>
      posting(store, (posted) =>
        posted.event.quantity < 0n && posted.event.corrects === undefined
          ? { ...posted, event: { ...posted.event, quantity: 0n } }
          : posted,
      ),
    breaks: ['S57'],
  },
  {
    name: 'keeps amounts as doubles',
    store: (store) =>
      posting(store, (posted) => {
        const { charge } = posted.event
        if (charge === undefined) return posted
        return { ...posted, event: { ...posted.event, charge: { ...charge, cost: asDouble(charge.cost) } } }
      }),
    breaks: ['S52'],
  },
  {
    name: 'lists totals by their size',
    store: (store) => ({
      totals: async ({ after = '0', limit = 100 }) => {
        const { items } = await store.totals({ limit: 10_000 })
        const sorted = items.toSorted((a, b) => Number(a.quantity - b.quantity))
        const page = sorted.slice(Number(after), Number(after) + limit)
        return { items: page, next: page.length < limit ? null : String(Number(after) + limit) }
      },
    }),
    breaks: ['S29'],
  },
  {
    name: 'gives whole listings',
    store: (store) => ({ log: () => store.log({ limit: 10_000 }) }),
    breaks: ['S26', 'S27'],
  },
  {
    name: 'begins anew at what is no cursor',
    store: (store) => ({ customerIds: (page) => store.customerIds(page).catch(() => store.customerIds({})) }),
    breaks: ['S26', 'S27'],
  },
  {
    name: 'composes letters with their accents',
    store: (store) =>
      posting(store, (posted) => ({
        ...posted,
        event: { ...posted.event, route: posted.event.route?.normalize() ?? null },
      })),
    breaks: ['S30'],
  },
  {
    name: 'takes customers for one that differ in case',
    store: (store) =>
      changing(store, (target, decide) => store.change({ ...target, customerId: target.customerId.toLowerCase() }, decide)),
    breaks: ['S30'],
  },
  {
    name: 'writes nothing where there is null',
    store: (store) => posting(store, (posted) => ({ ...posted, event: { ...posted.event, route: posted.event.route ?? '' } })),
    breaks: ['S31'],
  },
]

function asDouble({ coefficient, scale }: Decimal): Decimal {
  return { coefficient: BigInt(Number(coefficient)), scale }
}
