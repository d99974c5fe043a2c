/** The log: each event once, in one order, under the keys that its sender gave. */

import type { Store, UsageEvent } from '@farebox/core/contracts'
import { expect } from 'vitest'
import { accountOf, isRefused, knownUnder, logOf, write } from '../account.ts'
import type { StoreCheck } from '../check.ts'
import { engineOn } from '../engine.ts'
import { given, JANUARY, opening, posted, UNIT } from '../records.ts'

/** Appends unless the key is known, as whoever sends an event again does. */
function appendOnce(store: Store, key: string, customerId = 'ada'): Promise<'new' | 'repeat'> {
  return store.change({ customerId, keys: [key] }, (state) =>
    state.known.has(key)
      ? { result: 'repeat', entries: [] }
      : { result: 'new', entries: [...opening(state), given(key, { customerId })] },
  )
}

const keysOf = (events: readonly { readonly key: string }[]): string[] => events.map(({ key }) => key)

/** Events that both lists have, in the order of the first. */
function shared(events: readonly UsageEvent[], others: readonly UsageEvent[]): string[] {
  const keys = new Set(keysOf(others))
  return keysOf(events).filter((key) => keys.has(key))
}

export const LOG_CHECKS: readonly StoreCheck[] = [
  {
    id: 'S01',
    level: 'MUST',
    title: 'an event is appended once per customer and key, through whichever store and however often it is sent',
    async run({ open, eye }) {
      const stores = [await open(), await open()] as const
      const sent = Array.from({ length: 20 }, (_, i) => appendOnce(stores[i % 2] as Store, 'k1'))
      expect((await Promise.all(sent)).filter((kind) => kind === 'new')).toHaveLength(1)
      expect(await appendOnce(stores[1], 'k1')).toBe('repeat')
      expect(await appendOnce(stores[1], 'k1', 'bob')).toBe('new')
      // Asked for at once, and so written together.
      const together = ['cleo', 'dora', 'cleo', 'dora', 'cleo'].map((customerId) => appendOnce(stores[0], 'k1', customerId))
      expect(await Promise.all(together)).toEqual(['new', 'new', 'repeat', 'repeat', 'repeat'])
      const seen = (await eye.events()).map(({ customer, key }) => `${customer} ${key}`)
      expect(seen.toSorted()).toEqual(['ada k1', 'bob k1', 'cleo k1', 'dora k1'])
    },
  },
  {
    id: 'S02',
    level: 'MUST',
    title: 'a key that comes again with other content is a conflict with the event that is there, and changes nothing',
    async run({ open, eye }) {
      const farebox = engineOn(await open(), JANUARY)
      const event = { customerId: 'ada', feature: 'api_calls', idempotencyKey: 'k1', properties: { region: 'eu' } }
      expect(await farebox.usage.track({ ...event, value: 2 })).toMatchObject({ kind: 'recorded' })
      expect(await farebox.usage.track({ ...event, value: 2 })).toMatchObject({ kind: 'repeat' })
      const other = await farebox.usage.track({ ...event, value: 3, properties: { region: 'us' } })
      expect(other).toMatchObject({ kind: 'conflict', fields: ['value', 'properties'] })
      await farebox.stop()
      // Nor can it be written by a change that does not look.
      const store = await open()
      expect(await isRefused(write(store, [given('k1', { quantity: 3n * UNIT })]))).toBe(true)
      expect(await eye.events()).toMatchObject([{ key: 'k1', quantity: 2n * UNIT, properties: { region: 'eu' } }])
      expect(await knownUnder(store, 'k1')).toMatchObject({ quantity: 2n * UNIT })
    },
  },
  {
    id: 'S06',
    level: 'MUST',
    title: "the log has one order that never changes, in which the places of each customer's events ascend",
    async run({ open, eye }) {
      const stores = [await open(), await open()] as const
      const readings: UsageEvent[][] = []
      for (let i = 0; i < 24; i += 1) {
        const customerId = ['cleo', 'ada', 'bob'][i % 3] as string
        await write(stores[i % 2] as Store, [posted(`e${i}`, { customerId, at: JANUARY + 1_000 - i })], { customerId })
        if (i % 6 === 5) readings.push(await logOf(stores[0]))
      }
      const last = await logOf(await open())
      for (const reading of readings) expect(shared(last, reading)).toEqual(keysOf(reading))
      for (const customerId of ['ada', 'bob', 'cleo']) {
        const own = last.filter((event) => event.customerId === customerId)
        expect(own).toHaveLength(8)
        expect(own.map(({ seq }) => seq)).toEqual([...new Set(own.map(({ seq }) => seq))].toSorted((a, b) => a - b))
        const seen = (await eye.events()).filter(({ customer }) => customer === customerId)
        expect(own.map(({ seq, key }) => [seq, key])).toEqual(seen.map(({ seq, key }) => [seq, key]))
      }
    },
  },
  {
    id: 'S16',
    level: 'MUST',
    title: 'a change sees events under the keys that it names and under no others',
    async run({ open }) {
      const store = await open()
      await write(store, [given('k1'), given('k2', { quantity: 5n, properties: null })])
      await write(store, [given('k1', { customerId: 'bob', quantity: 7n })], { customerId: 'bob' })
      const { known } = await accountOf(store, 'ada', ['k1', 'k2', 'k3'])
      expect([...known.keys()].toSorted()).toEqual(['k1', 'k2'])
      expect(known.get('k2')).toEqual({
        ...given('k2', { quantity: 5n, properties: null }).event,
        seq: expect.any(Number),
        periodStart: JANUARY,
      })
      expect((await knownUnder(store, 'k1', 'bob'))?.quantity).toBe(7n)
      expect((await accountOf(store, 'ada', ['k3'])).known.size).toBe(0)
      expect((await accountOf(store)).known.size).toBe(0)
    },
  },
  {
    id: 'S25',
    level: 'MUST',
    title: 'whoever reads the log page by page while others write gets what was there exactly once',
    async run({ open }) {
      const [reader, writer] = [await open(), await open()]
      const append = (key: string, customerId: string): Promise<void> =>
        write(writer, [posted(key, { customerId })], { customerId })
      for (let i = 0; i < 20; i += 1) await append(`e${i}`, `c${i % 5}`)
      const before = await logOf(reader)
      const walked: UsageEvent[] = []
      let after: string | undefined
      for (let page = 0; ; page += 1) {
        const { items, next } = await reader.log({ after, limit: 3 })
        walked.push(...items)
        if (next === null) break
        after = next
        // Customers in front of all others, among them and behind them; the reader comes to an end all the same.
        if (page < 5) for (const customerId of ['a', 'c2', 'z']) await append(`new${page}${customerId}`, customerId)
      }
      expect(new Set(keysOf(walked)).size).toBe(walked.length)
      expect(shared(walked, before)).toEqual(keysOf(before))
      expect(shared(await logOf(reader), walked)).toEqual(keysOf(walked))
    },
  },
]
