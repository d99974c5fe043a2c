/** What is wrong with grants, records, counters and documents of stores that are broken on purpose. */

import { DECIMAL_ZERO, type Grant } from '@farebox/core/contracts'
import { changing, seeing, type StoreFlaw, withItems, writing } from '../broken.ts'

const withGrants = (grants: ReadonlyMap<string, Grant>, change: (grant: Grant) => Grant): Map<string, Grant> =>
  new Map([...grants].map(([id, grant]) => [id, change(grant)]))

export const GRANT_FLAWS: readonly StoreFlaw[] = [
  {
    name: 'lets the same credits be held twice',
    store: (store) =>
      seeing(store, ({ grants }) => ({ grants: withGrants(grants, (grant) => ({ ...grant, held: DECIMAL_ZERO })) })),
    breaks: ['S47'],
  },
  {
    name: 'forgets what events used of a grant',
    store: (store) =>
      seeing(store, ({ grants }) => ({ grants: withGrants(grants, (grant) => ({ ...grant, used: DECIMAL_ZERO })) })),
    breaks: ['S47', 'S57'],
  },
  {
    name: 'lists records by their ids',
    store: (store) => ({
      records: (query) => withItems(store.records(query), (items) => items.toSorted((a, b) => (a.id < b.id ? -1 : 1))),
    }),
    breaks: ['S48'],
  },
  {
    name: 'lists closed records as if they were open',
    store: (store) => ({ records: ({ isOpen: _isOpen, ...query }) => store.records(query) }),
    breaks: ['S48'],
  },
  {
    name: 'loses what is closed',
    store: (store) => ({ records: (query) => store.records({ ...query, isOpen: true }) }),
    breaks: ['S48'],
  },
  {
    name: 'counts a limit in each process by itself',
    store: (store, { place }) =>
      writing(store, (entries) =>
        entries.map((entry) => (entry.kind === 'counted' ? { ...entry, counter: `${entry.counter}${place}` } : entry)),
      ),
    breaks: ['S50'],
  },
  {
    name: 'refuses everything once a counter has none left',
    store: (store) => {
      let isOver = false
      return changing(store, (target, decide) =>
        store.change(target, (state) => {
          if (isOver) throw new Error('none left')
          const change = decide(state)
          isOver ||= change.entries.some((entry) => entry.kind === 'counted')
          return change
        }),
      )
    },
    breaks: ['S50'],
  },
  {
    name: 'leaves an invoice open for ever',
    store: (store) => writing(store, (entries) => entries.filter(({ kind }) => kind !== 'collected')),
    breaks: ['S51'],
  },
  {
    name: 'keeps of a customer what it has a column for',
    store: (store) =>
      writing(store, (entries) =>
        entries.map((entry) => {
          if (entry.kind !== 'customer') return entry
          const { id, name, email, timeZone, createdAt } = entry.customer
          return { kind: 'customer', customer: { id, name, email, timeZone, createdAt } }
        }),
      ),
    breaks: ['S53'],
  },
  {
    name: 'keeps the last segment of a subscription',
    store: (store) =>
      seeing(store, ({ subscription }) =>
        subscription === null ? {} : { subscription: { ...subscription, segments: subscription.segments.slice(-1) } },
      ),
    breaks: ['S54'],
  },
]
