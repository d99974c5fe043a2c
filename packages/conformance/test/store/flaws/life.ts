/** What is wrong with the opening and closing of stores that are broken on purpose. */

import { FareboxError } from '@farebox/core/contracts'
import { changing, later, type StoreFlaw, withItems } from '../broken.ts'

export const LIFE_FLAWS: readonly StoreFlaw[] = [
  {
    name: 'can be opened by one process at a time',
    database(database) {
      let opening = 0
      const openAlone: (open: () => Promise<void>) => Promise<void> = async (open) => {
        if (opening > 0) throw new FareboxError('store_unavailable', 'Another process migrates')
        opening += 1
        await later(5)
        await open()
        opening -= 1
      }
      return {
        store(options) {
          const store = database.store(options)
          const open = store.open.bind(store)
          return Object.assign(store, { open: () => openAlone(open) })
        },
      }
    },
    breaks: ['S10'],
  },
  { name: 'opens whatever it finds', database: () => ({ becomeNewer: async () => {} }), breaks: ['S11'] },
  {
    name: 'loses the last event when it is closed',
    store: (store, { place }) =>
      place === 0 ? {} : { log: (page) => withItems(store.log(page), (items) => items.slice(0, -1)) },
    breaks: ['S12'],
  },
  {
    name: 'forgets settlements that wait when it is closed',
    store: (store) => {
      let isClosing = false
      return {
        ...changing(store, async (target, decide) => {
          if (target.urgency === 'soon') await later(5)
          if (isClosing) throw new FareboxError('store_unavailable', 'It was closed')
          return store.change(target, decide)
        }),
        close() {
          isClosing = true
          return store.close()
        },
      }
    },
    breaks: ['S44'],
  },
  {
    name: 'is closed once only',
    store: (store) => {
      let isClosed = false
      return {
        async close() {
          if (isClosed) throw new Error('closed already')
          isClosed = true
          await store.close()
        },
      }
    },
    breaks: ['S44'],
  },
  {
    name: 'answers from memory once it is closed',
    store: (store) => ({ catalogs: () => store.catalogs().catch(() => []) }),
    breaks: ['S45'],
  },
  { name: 'does not know what it is', store: (store) => ({ facts: { ...store.facts, version: '' } }), breaks: ['S46'] },
]
