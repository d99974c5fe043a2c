/** What is wrong with the writing of stores that are broken on purpose. */

import { type AccountState, applyEntry, type Change, type ChangeRequest, FareboxError } from '@farebox/core/contracts'
import { customerEntry } from '../../../src/store/records.ts'
import { changing, later, posting, seeing, type StoreFlaw, writing } from '../broken.ts'

/** Longer than a change that may wait does wait. */
const LATE_MS = 120

export const WRITING_FLAWS: readonly StoreFlaw[] = [
  {
    name: 'forgets the keys of senders',
    store: (store) => seeing(store, () => ({ known: new Map() })),
    breaks: ['S01', 'S02', 'S16', 'S20'],
  },
  {
    name: 'shows a change only what is open',
    store: (store) =>
      seeing(store, ({ invoices, records }) => ({
        invoices: new Map([...invoices].filter(([, { status }]) => status === 'draft')),
        records: new Map([...records].filter(([, { isOpen }]) => isOpen)),
      })),
    breaks: ['S58'],
  },
  {
    name: 'shows a change records as they were before its batch',
    store: (store) => {
      const first = new Map<string, AccountState['records']>()
      return seeing(store, ({ customerId, records }) => {
        const seen = first.get(customerId) ?? new Map(records)
        if (records.size > 0) first.set(customerId, seen)
        return { records: seen }
      })
    },
    breaks: ['S58'],
  },
  {
    name: 'counts a key that comes again',
    store: (store) => posting(store, (posted) => ({ ...posted, keyGivenBy: 'farebox' })),
    breaks: ['S01', 'S02', 'S16'],
  },
  {
    name: 'takes the last content of a key for its first',
    store: (store) => {
      const last = new Map<string, bigint>()
      return changing(store, (target, decide) =>
        store.change(target, (state) => {
          const change = decide(state)
          for (const entry of change.entries) if (entry.kind === 'posted') last.set(entry.event.key, 3n)
          const known = new Map([...state.known].map(([key, event]) => [key, { ...event, quantity: last.get(key) ?? 3n }]))
          return decide({ ...state, known })
        }),
      )
    },
    breaks: ['S02', 'S16'],
  },
  {
    name: 'lets two changes see the same state',
    store: (store) =>
      changing(store, async (target, decide) => {
        const { result, entries } = decide(
          await store.change(target, (state) => ({ result: structuredClone(state), entries: [] })),
        )
        const isNew = (known: boolean): boolean => !known
        await store.change(target, ({ customer }) => ({
          result: undefined,
          entries: entries.filter(({ kind }) => kind !== 'customer' || isNew(customer !== null)),
        }))
        return result
      }),
    breaks: ['S03', 'S17'],
  },
  {
    name: 'writes although decide threw',
    store: (store) =>
      changing(store, async (target, decide) => {
        try {
          return await store.change(target, decide)
        } catch (error) {
          await store.change(target, ({ customerId, customer }) => ({
            result: undefined,
            entries: customer === null ? [customerEntry(customerId)] : [],
          }))
          throw error
        }
      }),
    breaks: ['S04'],
  },
  {
    name: 'says in its own words that decide threw',
    store: (store) =>
      changing(store, async (target, decide) =>
        store.change(target, decide).catch(() => {
          throw new FareboxError('store_unavailable', 'It did not work')
        }),
      ),
    breaks: ['S04', 'S59'],
  },
  {
    name: 'makes a customer of whoever is asked about',
    store: (store) =>
      writing(store, (entries, { customerId, customer }) =>
        customer === null && entries.length === 0 ? [customerEntry(customerId)] : entries,
      ),
    breaks: ['S13', 'S32'],
  },
  {
    name: 'writes the entries of a change one by one',
    store: (store) =>
      changing(store, async (target, decide) => {
        const { result, entries } = await store.change(target, (state) => ({ result: decide(state), entries: [] }))
        for (const entry of entries) await store.change(target, () => ({ result: undefined, entries: [entry] }))
        return result
      }),
    breaks: ['S14', 'S38'],
  },
  {
    name: 'lets one bad change spoil those beside it',
    store: (store) => {
      const batch: Promise<unknown>[] = []
      return changing(store, async (target, decide) => {
        const own = store.change(target, decide)
        batch.push(own)
        await Promise.allSettled(batch)
        await Promise.all(batch)
        return own
      })
    },
    breaks: ['S14'],
  },
  {
    name: 'applies the entries of a change backwards',
    store: (store) => writing(store, (entries) => entries.toReversed()),
    breaks: ['S15'],
  },
  {
    name: 'gives the answers of other changes',
    store: (store) => {
      const answers: unknown[] = []
      return changing(store, async (target, decide) => {
        const answer = await store.change(target, decide)
        answers.push(answer)
        return answers[answers.length >> 1] as typeof answer
      })
    },
    breaks: ['S17'],
  },
  {
    name: 'keeps no order among customers',
    store: (store) => {
      let asked = 0
      return changing(store, async (target, decide) => {
        asked += 1
        if (asked % 3 === 0) await later(5)
        return store.change(target, decide)
      })
    },
    breaks: ['S18'],
  },
  {
    name: 'hides a settlement until it is written',
    store: (store) =>
      changing(store, async (target, decide) => {
        if (target.urgency === 'soon') await later(LATE_MS)
        return store.change(target, decide)
      }),
    breaks: ['S19', 'S42', 'S43', 'S44'],
  },
  {
    name: 'never looks again at what it knows of an account',
    store: (store) => {
      const states = new Map<string, AccountState>()
      return changing(store, (target, decide) =>
        store.change(target, (state) => {
          const own = states.get(target.customerId) ?? structuredClone(state)
          const change = decide({ ...own, known: state.known })
          for (const entry of change.entries) applyEntry(own, entry, Date.now())
          states.set(target.customerId, own)
          return change
        }),
      )
    },
    breaks: ['S03', 'S20', 'S22', 'S37'],
  },
  {
    name: 'tells twice what became of a change that was submitted',
    store: (store) => ({
      submit: (request) =>
        store.submit({
          target: request.target,
          decide: (state) => request.decide(state),
          resolve(result) {
            request.resolve(result)
            request.resolve(result)
          },
          reject: (error) => request.reject(error),
        }),
    }),
    breaks: ['S59'],
  },
  {
    name: 'tells the result of a change that was submitted before it is written',
    store: (store) => {
      async function writeLate<T>(request: ChangeRequest<T>): Promise<void> {
        const decide = (state: AccountState): Change<T> => request.decide(state)
        request.resolve(await store.change(request.target, (state) => ({ result: decide(state).result, entries: [] })))
        await later(LATE_MS)
        await store.change(request.target, decide)
      }
      return { submit: (request) => void writeLate(request).catch((error: unknown) => request.reject(error)) }
    },
    breaks: ['S59'],
  },
  {
    name: 'throws where a change that is submitted has to be told',
    store: (store) => {
      let isClosed = false
      return {
        submit(request) {
          if (isClosed) throw new FareboxError('stopped', 'It is closed')
          store.submit(request)
        },
        close() {
          isClosed = true
          return store.close()
        },
      }
    },
    breaks: ['S59'],
  },
]
