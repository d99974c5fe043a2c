/** Counters that all customers share, such as the redemptions of a coupon. */

import type { Entry, Store } from '@farebox/core/contracts'
import { expect } from 'vitest'
import { write } from '../account.ts'
import type { StoreCheck } from '../check.ts'
import { posted } from '../records.ts'

const counted = (counter: string, limit: number): Entry => ({ kind: 'counted', counter, limit })

const refused = { code: 'limit_reached' }

export const COUNTER_CHECKS: readonly StoreCheck[] = [
  {
    id: 'S50',
    level: 'MUST',
    title:
      'of a counter no more is taken than its limit, however many ask at once, and only those are refused who find none left',
    async run({ open, eye }) {
      const stores = [await open(), await open()] as const
      const ids = Array.from({ length: 40 }, (_, i) => `c${i}`)
      const asked = ids.map((customerId, i) => {
        const event = posted('e1', { customerId })
        // Every fourth wants nothing of it.
        return write(stores[i % 2] as Store, i % 4 === 3 ? [event] : [event, counted('SPRING', 8)], { customerId })
      })
      const answers = await Promise.allSettled(asked)
      const taken = answers.filter(({ status }, i) => i % 4 !== 3 && status === 'fulfilled')
      expect(taken).toHaveLength(8)
      for (const [i, answer] of answers.entries())
        if (answer.status === 'rejected') expect([i % 4 === 3, answer.reason]).toMatchObject([false, refused])
      expect(await eye.events()).toHaveLength(18)
      expect(await eye.counters()).toEqual([{ counter: 'SPRING', taken: 8 }])
      const [one, two] = stores
      // Whole or not at all: what it took before it found none left is given back.
      await expect(write(one, [counted('AUTUMN', 9), posted('e1'), counted('SPRING', 8)])).rejects.toMatchObject(refused)
      await expect(write(two, [counted('AUTUMN', 1), counted('AUTUMN', 1)])).rejects.toMatchObject(refused)
      await expect(write(two, [counted('NONE', 0)])).rejects.toMatchObject(refused)
      await write(two, [counted('AUTUMN', 2), counted('AUTUMN', 2), counted('SPRING', 9)])
      for (const store of stores)
        expect(await store.counters()).toEqual([
          { counter: 'AUTUMN', taken: 2 },
          { counter: 'SPRING', taken: 9 },
        ])
      expect(await eye.events()).toHaveLength(18)
    },
  },
]
