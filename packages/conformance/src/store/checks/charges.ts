/** What events cost, what they correct, and which period they are counted in. */

import {
  add,
  type Charge,
  decimal,
  DECIMAL_ZERO,
  formatDecimal,
  type NewUsageEvent,
  parseDecimal,
  seqKey,
  type Store,
} from '@farebox/core/contracts'
import { expect } from 'vitest'
import { accountOf, allOf, isRefused, logOf, write } from '../account.ts'
import type { StoreCheck } from '../check.ts'
import { chargeOf, FEBRUARY, given, granted, JANUARY, posted, reservationOf, reserved, UNIT } from '../records.ts'

const OF_JANUARY = { customerId: 'ada', feature: 'api_calls', periodStart: JANUARY }

/** More digits than a double has, or a column of most databases. */
const VAST = '12345678901234567890123.000000000001'

const big = (text: string) => parseDecimal(text, 30) ?? decimal('0')

const model: NonNullable<Charge['model']> = {
  model: 'some-model-20260101',
  provider: 'some provider',
  catalog: 'prices@1.2.3',
  margin: '17.5',
  classes: [
    { name: 'input', tokens: Number.MAX_SAFE_INTEGER, perMillion: decimal('0.000000000001') },
    { name: 'cache_read', tokens: 0, perMillion: decimal('3') },
  ],
  providerCost: big('0.00000000000000000007'),
  isIncomplete: true,
}

/** What an AI model may use at most. */
const MOST_USED = { model: 'some-model', provider: 'some provider', inputTokens: 2 ** 40, outputTokens: 0, cacheReadTokens: 3 }

/** Every member that a charge may have. */
const CHARGES: readonly Charge[] = [
  chargeOf({ g1: '0.000000000001' }),
  { unit: 'EUR', cost: big(VAST), parts: [], uncovered: big(VAST), waived: DECIMAL_ZERO },
  { unit: 'credits', cost: decimal('0'), parts: [], uncovered: DECIMAL_ZERO, waived: DECIMAL_ZERO },
  { ...chargeOf({ g1: '2', g2: '0.1' }, '0.3'), cost: decimal('3'), waived: decimal('0.6'), model },
]

const sumOf = (name: 'cost' | 'uncovered') => CHARGES.map((charge) => charge[name]).reduce(add)

/** An event of the log without what the log gave to it. */
async function eventOf(store: Store, key: string): Promise<NewUsageEvent & { readonly periodStart: number }> {
  const found = (await logOf(store)).find((event) => event.key === key)
  if (found === undefined) throw new Error(`There is no event ${key}`)
  const { seq: _seq, ...event } = found
  return event
}

const placeOf = async (store: Store, key: string, customerId = 'ada'): Promise<number> =>
  (await logOf(store)).find((event) => event.key === key && event.customerId === customerId)?.seq ?? 0

export const CHARGE_CHECKS: readonly StoreCheck[] = [
  {
    id: 'S52',
    level: 'MUST',
    title:
      'a charge comes back exactly, of an event and of a reservation with what it may use, and totals are the exact sums of what their events cost',
    async run({ open, eye }) {
      const store = await open()
      await write(store, [granted('g1'), granted('g2')])
      const events = CHARGES.map((charge, i) => given(`k${i}`, { charge }))
      await write(store, [...events, posted('free'), ...CHARGES.map((charge, i) => reserved(`r${i}`, { charge }))])
      const estimates = [
        reservationOf('m1', { usage: MOST_USED }),
        reservationOf('m2', { usage: MOST_USED, charge: chargeOf({ g1: '4' }) }),
      ]
      await write(
        store,
        estimates.map(({ key, ...estimate }) => reserved(key, estimate)),
      )
      for (const one of [store, await open()]) {
        const { known, reservations, usage } = await accountOf(
          one,
          'ada',
          events.map(({ event }) => event.key),
        )
        for (const [i, { event }] of events.entries()) {
          expect(await eventOf(one, event.key)).toEqual({ ...event, periodStart: JANUARY })
          expect(known.get(event.key)).toEqual({ ...event, seq: expect.any(Number), periodStart: JANUARY })
          expect(reservations.get(`r${i}`)?.charge).toEqual(CHARGES[i])
        }
        for (const estimate of estimates) expect(reservations.get(estimate.key)).toEqual(estimate)
        expect(await eventOf(one, 'free')).not.toHaveProperty('charge')
        expect((await one.events(OF_JANUARY)).items.find(({ key }) => key === 'k3')?.charge).toEqual(CHARGES[3])
        const expected = { events: 5, cost: sumOf('cost'), uncovered: sumOf('uncovered') }
        expect(usage).toMatchObject([expected])
        expect(await one.recount(OF_JANUARY)).toEqual({ ...expected, quantity: 5n * UNIT })
        expect(await allOf(one.totals)).toMatchObject([expected])
      }
      expect((await eye.totals()).map(({ cost, uncovered }) => [cost, uncovered])).toEqual([
        [formatDecimal(sumOf('cost')), formatDecimal(sumOf('uncovered'))],
      ])
      const seen = (await eye.events()).map(({ charge }) => charge)
      expect(seen.map((charge) => (charge === null ? null : (JSON.parse(charge) as { unit: string }).unit))).toEqual([
        'credits',
        'EUR',
        'credits',
        'credits',
        null,
      ])
      expect((await eye.reservations()).filter(({ charge }) => charge !== null)).toHaveLength(CHARGES.length + 1)
    },
  },
  {
    id: 'S55',
    level: 'MUST',
    title: "a change sees its customer's events at the places that it names, and nobody else's",
    async run({ open }) {
      const [one, two] = [await open(), await open()]
      for (const customerId of ['bob', 'ada', 'bob', 'ada'])
        await write(one, [posted(`e${(await logOf(one)).length}`, { customerId })], { customerId })
      const places = [await placeOf(two, 'e1'), await placeOf(two, 'e3')]
      const ofBob = (await logOf(two)).filter(({ customerId }) => customerId === 'bob').map(({ seq }) => seq)
      const strange = ofBob.filter((seq) => !places.includes(seq))
      for (const store of [one, two]) {
        const seqs = [...places, ...strange, 999_999]
        const known = await store.change({ customerId: 'ada', keys: ['e1'], seqs }, (state) => ({
          result: new Map(state.known),
          entries: [],
        }))
        expect([...known.keys()].toSorted()).toEqual(places.map(seqKey).toSorted())
        expect(known.get(seqKey(places[1] ?? 0))).toEqual({ ...posted('e3').event, seq: places[1], periodStart: JANUARY })
        expect((await accountOf(store)).known.size).toBe(0)
      }
      const nobody = await two.change({ customerId: 'nobody', seqs: places }, ({ known }) => ({
        result: known.size,
        entries: [],
      }))
      expect(nobody).toBe(0)
    },
  },
  {
    id: 'S56',
    level: 'MUST',
    title: 'an event is counted in the period that it was posted in, also when a later one has begun by its instant',
    async run({ open, eye }) {
      const [one, two] = [await open(), await open()]
      // A clock that is ahead, and a plan that is changed: the period ends before the event.
      for (let i = 0; i < 4; i += 1) await write(one, [posted(`ahead${i}`, { at: FEBRUARY + i, periodStart: JANUARY })])
      await write(two, [posted('next', { at: FEBRUARY + 1, periodStart: FEBRUARY })])
      await write(one, [posted('last', { at: FEBRUARY + 9, periodStart: JANUARY })])
      for (const store of [one, two]) {
        const periods = (await logOf(store)).map(({ key, periodStart }) => [key, periodStart === JANUARY])
        const ahead = Array.from({ length: 4 }, (_, i) => [`ahead${i}`, true])
        expect(periods).toEqual([...ahead, ['next', false], ['last', true]])
        const january = await allOf((page) => store.events({ ...OF_JANUARY, ...page }), 2)
        expect(january.map(({ key }) => key)).toEqual(['last', 'ahead3', 'ahead2', 'ahead1', 'ahead0'])
        expect(await store.recount(OF_JANUARY)).toMatchObject({ quantity: 5n * UNIT, events: 5 })
        const after = String(await placeOf(store, 'ahead3'))
        await expect(store.events({ ...OF_JANUARY, periodStart: FEBRUARY, after })).rejects.toMatchObject({
          code: 'invalid_option',
        })
      }
      expect((await eye.events()).map(({ periodStart }) => periodStart === JANUARY)).toEqual([
        true,
        true,
        true,
        true,
        false,
        true,
      ])
    },
  },
  {
    id: 'S57',
    level: 'MUST',
    title: 'units and amounts are taken back by an event that names the one it corrects, and by no other',
    async run({ open, eye }) {
      const store = await open()
      await write(store, [granted('g1'), posted('e1', { quantity: 5n, charge: chargeOf({ g1: '5' }, '2') })])
      const corrects = await placeOf(store, 'e1')
      expect(await isRefused(write(store, [posted('less', { quantity: -1n })]))).toBe(true)
      expect(await isRefused(write(store, [posted('early', { at: JANUARY - 1, periodStart: JANUARY })]))).toBe(true)
      const back = { quantity: -3n, charge: chargeOf({ g1: '-1.5' }, '-2'), corrects }
      await write(store, [posted('back', back)])
      for (const one of [store, await open()]) {
        expect(await eventOf(one, 'back')).toMatchObject(back)
        const expected = { events: 2, cost: decimal('3.5'), uncovered: DECIMAL_ZERO }
        const { usage, grants } = await accountOf(one)
        expect(usage).toMatchObject([{ posted: 2n, ...expected }])
        expect(grants.get('g1')?.used).toEqual(decimal('3.5'))
        expect(await one.recount(OF_JANUARY)).toEqual({ quantity: 2n, ...expected })
      }
      expect((await eye.events()).map((event) => [event.key, event.quantity, event.corrects])).toEqual([
        ['e1', 5n, null],
        ['back', -3n, corrects],
      ])
    },
  },
]
