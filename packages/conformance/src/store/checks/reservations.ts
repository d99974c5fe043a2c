/** Reservations: units that are kept from others until they are posted or released, or their process dies. */

import { expect } from 'vitest'
import { accountOf, isRefused, write } from '../account.ts'
import type { StoreCheck } from '../check.ts'
import { given, JANUARY, posted, released, reservationOf, reserved, UNIT } from '../records.ts'

export const RESERVATION_CHECKS: readonly StoreCheck[] = [
  {
    id: 'S09',
    level: 'MUST',
    title: 'a reservation is kept for as long as its process lives, and is an orphan once that is dead, and not before',
    async run({ database, open, eye }) {
      const stores = [await open(), await open()] as const
      await write(stores[0], [reserved('alive')])
      for (const store of stores) expect(await store.orphans()).toEqual([])
      const orphan = reservationOf('left', { customerId: 'bob', quantity: 3n * UNIT, route: null })
      await (await database()).leave(orphan)
      for (const store of stores) expect(await store.orphans()).toEqual([orphan])
      // Others hold its units back as before, until somebody ends it.
      expect((await accountOf(stores[0], 'bob')).usage).toMatchObject([{ posted: 0n, reserved: 3n * UNIT }])
      await write(stores[1], [posted('left', { customerId: 'bob' })], { customerId: 'bob' })
      for (const store of stores) expect(await store.orphans()).toEqual([])
      // A process that closes its store ends too.
      await stores[0].close()
      expect(await stores[1].orphans()).toEqual([reservationOf('alive')])
      expect((await eye.reservations()).map(({ key }) => key)).toEqual(['alive'])
    },
  },
  {
    id: 'S21',
    level: 'MUST',
    title: 'a reservation ends once, posted with what was used or released, and what it held back is free at once',
    async run({ open, eye }) {
      const store = await open()
      await write(store, [reserved('r1', { quantity: 5n }), reserved('r2', { quantity: 7n }), reserved('r3', { quantity: 9n })])
      expect(await eye.reservations()).toMatchObject([
        { key: 'r1', feature: 'api_calls', quantity: 5n, at: JANUARY + 1 },
        { key: 'r2', quantity: 7n },
        { key: 'r3', quantity: 9n },
      ])
      expect((await accountOf(store)).usage).toMatchObject([{ posted: 0n, reserved: 21n, events: 0 }])
      await write(store, [posted('r1', { quantity: 2n }), released('r2')])
      const { usage, reservations } = await accountOf(store)
      expect(usage).toMatchObject([{ posted: 2n, reserved: 9n, events: 1 }])
      expect([...reservations]).toEqual([['r3', reservationOf('r3', { quantity: 9n })]])
      for (const key of ['r1', 'r2']) expect(await isRefused(write(store, [released(key)]))).toBe(true)
      // The key of a sender's event ends a reservation under it as well.
      await write(store, [given('r3')])
      // One that begins and ends in a change was never there for others.
      await write(store, [reserved('r4'), released('r4')])
      expect(await eye.reservations()).toEqual([])
      expect((await eye.events()).map(({ key, quantity }) => [key, quantity])).toEqual([
        ['r1', 2n],
        ['r3', UNIT],
      ])
    },
  },
  {
    id: 'S22',
    level: 'MUST',
    title: 'a reservation holds its units back from every process, and may be ended by another than its own',
    async run({ open, eye }) {
      const [one, two] = [await open(), await open()]
      const bob = { customerId: 'bob' }
      await write(one, [reserved('r1', { quantity: 5n }), reserved('r2', { quantity: 7n })])
      // Keys are of one customer each.
      await Promise.all(['r1', 'r3'].map((key) => write(one, [reserved(key, bob)], bob)))
      expect((await accountOf(two)).usage).toMatchObject([{ posted: 0n, reserved: 12n }])
      await write(two, [posted('r1', { quantity: 4n }), released('r2')])
      expect((await accountOf(one)).usage).toMatchObject([{ posted: 4n, reserved: 0n }])
      // Its own process learns that it has ended.
      expect(await isRefused(write(one, [released('r2')]))).toBe(true)
      await write(one, [posted('r3', bob)], bob)
      expect(await eye.reservations()).toMatchObject([{ customer: 'bob', key: 'r1' }])
      expect((await accountOf(two, 'bob')).usage).toMatchObject([{ posted: UNIT, reserved: UNIT }])
      await write(one, [released('r1')], bob)
      expect(await eye.reservations()).toEqual([])
    },
  },
]
