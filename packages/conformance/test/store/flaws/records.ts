/** What is wrong with reservations, accounts and invoices of stores that are broken on purpose. */

import type { Reservation, Store } from '@farebox/core/contracts'
import { changing, posting, type StoreFlaw, withItems, writing } from '../broken.ts'

export const RECORD_FLAWS: readonly StoreFlaw[] = [
  { name: 'takes every other process for dead', store: (store) => ({ orphans: () => orphansOfAll(store) }), breaks: ['S09'] },
  { name: 'finds nobody dead', store: () => ({ orphans: async () => [] }), breaks: ['S09'] },
  {
    name: 'keeps a reservation that was posted',
    store: (store) => posting(store, (posted) => ({ ...posted, event: { ...posted.event, key: `${posted.event.key}.` } })),
    breaks: ['S15', 'S21', 'S22'],
  },
  {
    name: 'ends no reservation of another process',
    store: (store) => {
      const own = new Set<string>()
      return writing(store, (entries) => {
        for (const entry of entries) if (entry.kind === 'reserved') own.add(entry.reservation.key)
        return entries.filter((entry) => entry.kind !== 'released' || own.has(entry.key))
      })
    },
    breaks: ['S22'],
  },
  {
    name: 'lists customers by their names',
    store: (store) => ({ customerIds: (page) => withItems(store.customerIds(page), (items) => items.toSorted()) }),
    breaks: ['S18', 'S32'],
  },
  {
    name: 'keeps a subscription as it was first',
    store: (store) =>
      writing(store, (entries, { subscription }) =>
        entries.filter((entry) => entry.kind !== 'subscription' || subscription === null),
      ),
    breaks: ['S33', 'S34'],
  },
  {
    name: 'has those due only whose moment is over',
    store: (store) => ({ claimDue: (now, limit) => store.claimDue(now - 1, limit) }),
    breaks: ['S34'],
  },
  {
    name: 'gives those who are due by their names',
    store: (store) => ({ claimDue: async (now, limit) => (await store.claimDue(now, limit)).toSorted() }),
    breaks: ['S34'],
  },
  {
    name: 'forgets revoked keys',
    store: (store) => ({
      async apiKey(id) {
        const found = await store.apiKey(id)
        return found?.revokedAt === null ? found : null
      },
    }),
    breaks: ['S35'],
  },
  {
    name: 'lists the newest keys first',
    store: (store) => ({ apiKeys: async (customerId) => (await store.apiKeys(customerId)).toReversed() }),
    breaks: ['S35'],
  },
  {
    name: 'replaces catalogs',
    store: (store, { memory }) => ({
      async saveCatalog(catalog) {
        memory.set(catalog.version, catalog.document)
        await store.saveCatalog(catalog)
      },
      catalogs: async () =>
        (await store.catalogs()).map((catalog) => ({ ...catalog, document: memory.get(catalog.version) ?? '' })),
    }),
    breaks: ['S36'],
  },
  {
    name: 'keeps a draft as it was first',
    store: (store) =>
      writing(store, (entries, { drafts }) =>
        entries.filter((entry) => entry.kind !== 'drafted' || !drafts.has(entry.invoice.id)),
      ),
    breaks: ['S37'],
  },
  {
    name: 'takes numbers in each process by itself',
    store: (store, { place }) =>
      writing(store, (entries) =>
        entries.map((entry) => (entry.kind === 'finalized' ? { ...entry, series: `${entry.series}${place}` } : entry)),
      ),
    breaks: ['S38'],
  },
  {
    name: 'says nothing when a final invoice is to be changed',
    store: (store) => changing(store, (target, decide) => store.change(target, decide).catch(() => undefined as never)),
    breaks: ['S39'],
  },
  {
    name: 'leaves invoiced usage open',
    store: (store) =>
      writing(store, (entries) => entries.map((entry) => (entry.kind === 'finalized' ? { ...entry, sealed: [] } : entry))),
    breaks: ['S15', 'S29', 'S40'],
  },
  {
    name: 'lists invoices by their ids',
    store: (store) => ({
      invoices: (query) => withItems(store.invoices(query), (items) => items.toSorted((a, b) => (a.id < b.id ? -1 : 1))),
    }),
    breaks: ['S41'],
  },
  {
    name: 'finds invoices by id only',
    store: (store) => ({ invoice: async (id) => (/-\d{6}$/.test(id) ? null : store.invoice(id)) }),
    breaks: ['S41'],
  },
]

/** The reservations of everybody but whoever asks, dead or alive. */
async function orphansOfAll(store: Store): Promise<Reservation[]> {
  const { items } = await store.customerIds({})
  const held = await Promise.all(
    items.map((customerId) =>
      store.change({ customerId }, ({ reservations }) => ({ result: [...reservations.values()], entries: [] })),
    ),
  )
  return held.flat()
}
