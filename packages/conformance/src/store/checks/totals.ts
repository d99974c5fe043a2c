/** Totals: what the log holds for a feature of a customer in a usage period, and the events behind each. */

import { DECIMAL_ZERO, type Entry, type StoredTotal, type TotalQuery, type UsageEvent } from '@farebox/core/contracts'
import { expect } from 'vitest'
import { allOf, logOf, write } from '../account.ts'
import type { StoreCheck } from '../check.ts'
import { engineOn } from '../engine.ts'
import { drafted, FEBRUARY, finalized, given, JANUARY, posted } from '../records.ts'

const OF_JANUARY: TotalQuery = { customerId: 'ada', feature: 'api_calls', periodStart: JANUARY }
const OF_FEBRUARY: TotalQuery = { ...OF_JANUARY, periodStart: FEBRUARY }

/** What is counted where only units are. */
const UNCHARGED = { cost: DECIMAL_ZERO, uncovered: DECIMAL_ZERO }

const MARCH = Date.UTC(2026, 2, 1)
const DAY_MS = 86_400_000

/** A subscription whose first period is January. */
const START = { customerId: 'ada', plan: 'pro', startsAt: JANUARY }

/** Events of the same customer that are of other totals. */
const ofOthers = (i: number): Entry[] => [
  posted(`download${i}`, { feature: 'downloads' }),
  posted(`february${i}`, { periodStart: FEBRUARY }),
]

const keysOf = (events: readonly UsageEvent[]): string[] => events.map(({ key }) => key)

const nameOf = ({ customerId, feature, periodStart }: TotalQuery): string => `${customerId} ${feature} ${periodStart}`

export const TOTAL_CHECKS: readonly StoreCheck[] = [
  {
    id: 'S07',
    level: 'MUST',
    title: 'an event that comes late is in the period of its instant, behind those that were written before it',
    async run({ open, eye }) {
      const store = await open()
      const farebox = engineOn(store, FEBRUARY + DAY_MS)
      await farebox.subscriptions.create(START)
      const instants = { in_time: FEBRUARY + 1, late: JANUARY + 5, later: JANUARY + 2, last: FEBRUARY + 2 }
      for (const [idempotencyKey, timestamp] of Object.entries(instants))
        await farebox.usage.track({ customerId: 'ada', feature: 'api_calls', idempotencyKey, timestamp })
      expect((await eye.totals()).map(({ periodStart, events }) => [periodStart, events])).toEqual([
        [JANUARY, 2],
        [FEBRUARY, 2],
      ])
      expect(keysOf((await store.events(OF_JANUARY)).items)).toEqual(['later', 'late'])
      expect(keysOf((await store.events(OF_FEBRUARY)).items)).toEqual(['last', 'in_time'])
      expect(keysOf(await logOf(store))).toEqual(Object.keys(instants))
      await farebox.stop()
    },
  },
  {
    id: 'S08',
    level: 'MUST',
    title: 'a period has its first instant and not its last',
    async run({ open, eye }) {
      const store = await open()
      const farebox = engineOn(store, MARCH + DAY_MS)
      await farebox.subscriptions.create(START)
      const edges = [JANUARY, FEBRUARY - 1, FEBRUARY, MARCH - 1, MARCH]
      for (const timestamp of edges)
        await farebox.usage.track({ customerId: 'ada', feature: 'api_calls', idempotencyKey: `at${timestamp}`, timestamp })
      const counted = (await eye.totals()).map(({ periodStart, events }) => [periodStart, events])
      expect(counted).toEqual([
        [JANUARY, 2],
        [FEBRUARY, 2],
        [MARCH, 1],
      ])
      for (const { customer: customerId, feature, periodStart, quantity, events } of await eye.totals())
        expect(await store.recount({ customerId, feature, periodStart })).toEqual({ quantity, events, ...UNCHARGED })
      const february = await store.events({ ...OF_FEBRUARY, limit: 1 })
      expect(keysOf(february.items)).toEqual([`at${MARCH - 1}`])
      const after = february.next ?? 'none'
      expect(keysOf((await store.events({ ...OF_FEBRUARY, after })).items)).toEqual([`at${FEBRUARY}`])
      for (const periodStart of [JANUARY, MARCH])
        await expect(store.events({ ...OF_JANUARY, periodStart, after })).rejects.toMatchObject({ code: 'invalid_option' })
      await farebox.stop()
    },
  },
  {
    id: 'S23',
    level: 'MUST',
    title: 'the events of a total come newest first, page by page, and those that are written meanwhile do not come in between',
    async run({ open }) {
      const store = await open()
      // Instants go backwards: what was written last is the newest.
      for (let i = 0; i < 9; i += 1) await write(store, [posted(`e${i}`, { at: JANUARY + 100 - i }), ...ofOthers(i)])
      const walked: string[] = []
      let after: string | undefined
      for (let page = 0; ; page += 1) {
        const { items, next } = await store.events({ ...OF_JANUARY, after, limit: 4 })
        walked.push(...keysOf(items))
        if (next === null) break
        after = next
        await write(store, [posted(`new${page}`), ...ofOthers(10 + page)])
      }
      expect(walked).toEqual(['e8', 'e7', 'e6', 'e5', 'e4', 'e3', 'e2', 'e1', 'e0'])
      expect(keysOf((await store.events(OF_JANUARY)).items).slice(0, 3)).toEqual(['new1', 'new0', 'e8'])
      for (const unknown of [{ customerId: 'nobody' }, { feature: 'unknown' }, { periodStart: MARCH }])
        expect(await store.events({ ...OF_JANUARY, ...unknown })).toEqual({ items: [], next: null })
    },
  },
  {
    id: 'S24',
    level: 'MUST',
    title: "a cursor of one total's events goes on in that total only",
    async run({ open }) {
      const store = await open()
      for (let i = 0; i < 6; i += 1)
        await write(store, [
          posted(`e${i}`),
          posted(`d${i}`, { feature: 'downloads' }),
          posted(`f${i}`, { periodStart: FEBRUARY }),
        ])
      await write(store, [], { customerId: 'bob' })
      const { next } = await store.events({ ...OF_JANUARY, limit: 2 })
      expect(next).not.toBeNull()
      const after = next ?? ''
      expect(keysOf((await store.events({ ...OF_JANUARY, after, limit: 2 })).items)).toEqual(['e3', 'e2'])
      const elsewhere: Partial<TotalQuery>[] = [
        { customerId: 'bob' },
        { customerId: 'nobody' },
        { feature: 'downloads' },
        { feature: 'unknown' },
        { periodStart: FEBRUARY },
        { periodStart: JANUARY + 1 },
      ]
      for (const other of elsewhere)
        await expect(store.events({ ...OF_JANUARY, ...other, after })).rejects.toMatchObject({ code: 'invalid_option' })
      await expect(store.events({ ...OF_JANUARY, after: '999999' })).rejects.toMatchObject({ code: 'invalid_option' })
    },
  },
  {
    id: 'S28',
    level: 'MUST',
    title: 'every total is what the log holds for it, counted event by event, open or invoiced',
    async run({ open, eye }) {
      const store = await open()
      for (const customerId of ['ada', 'bob']) {
        for (let i = 0; i < 12; i += 1) {
          const place = {
            customerId,
            periodStart: i % 4 === 0 ? FEBRUARY : JANUARY,
            feature: i % 3 === 0 ? 'downloads' : 'api_calls',
          }
          const key = `e${i}`
          await write(store, [i % 2 === 0 ? posted(key, { ...place, quantity: BigInt(i) }) : given(key, place)], { customerId })
        }
      }
      await write(store, [drafted('i1'), finalized('i1', { sealed: ['api_calls'] })])
      const totals = await allOf(store.totals)
      expect(totals).toHaveLength(8)
      for (const { customerId, feature, periodStart, quantity, events } of totals)
        expect(await store.recount({ customerId, feature, periodStart })).toEqual({ quantity, events, ...UNCHARGED })
      const log = await logOf(store)
      expect(totals.reduce((all, { events }) => all + events, 0)).toBe(log.length)
      expect(await eye.events()).toHaveLength(log.length)
      for (const unknown of [{ customerId: 'nobody' }, { feature: 'unknown' }, { periodStart: MARCH }])
        expect(await store.recount({ ...OF_JANUARY, ...unknown })).toEqual({ quantity: 0n, events: 0, ...UNCHARGED })
    },
  },
  {
    id: 'S29',
    level: 'MUST',
    title: 'every total comes once, in an order that stays when others come, with the invoice that holds it',
    async run({ open, eye }) {
      const store = await open()
      const readings: StoredTotal[][] = []
      for (let i = 0; i < 24; i += 1) {
        const customerId = ['cleo', 'ada', 'bob'][i % 3] as string
        const feature = i % 2 === 0 ? 'downloads' : 'api_calls'
        const periodStart = i % 12 < 6 ? FEBRUARY : JANUARY
        // Every total grows in the second round, and some outgrow others.
        const quantity = i < 12 ? BigInt(20 - i) : BigInt((i % 5) * 100)
        await write(store, [posted(`e${i}`, { customerId, feature, periodStart, quantity })], { customerId })
        if (i % 4 === 3) readings.push(await allOf(store.totals, 2))
      }
      await write(store, [drafted('i1'), finalized('i1', { sealed: ['api_calls'] })])
      const last = await allOf(store.totals)
      const names = last.map(nameOf)
      expect(new Set(names).size).toBe(12)
      for (const reading of readings) {
        const known = new Set(reading.map(nameOf))
        expect(names.filter((name) => known.has(name))).toEqual(reading.map(nameOf))
      }
      const held = last.filter(({ invoiceId }) => invoiceId !== null).map((total) => [nameOf(total), total.invoiceId])
      expect(held).toEqual([[nameOf(OF_JANUARY), 'i1']])
      expect(await eye.totals()).toHaveLength(12)
      for (const { dropped } of last) expect(dropped).toEqual({ quantity: 0n, events: 0, ...UNCHARGED })
    },
  },
]
