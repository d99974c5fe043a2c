/** Quantities, money and text come back as they were given, and nothing that differs becomes one. */

import { type Customer, DECIMAL_ZERO, type Entry, type Properties } from '@farebox/core/contracts'
import { expect } from 'vitest'
import { accountOf, allOf, isRefused, logOf, write } from '../account.ts'
import type { StoreCheck } from '../check.ts'
import { customerEntry, drafted, given, invoiceOf, JANUARY, MOST, posted, reserved, UNIT } from '../records.ts'

/** Texts that some database, driver or encoding has mixed up or changed; the first and the second look the same. */
const TEXTS = [
  'caf\u00E9',
  'cafe\u0301',
  'CAF\u00C9',
  'Gr\u00FC\u00DFe \u0130stanbul',
  '\u{1F9FE}\u{1F468}\u200D\u{1F469}\u200D\u{1F467}',
  '\u05E9\u05DC\u05D5\u05DD \u200F\u0645\u0631\u062D\u0628\u0627',
  '\uFEFFmark',
  `O'Brien "said" \`this\` \\ that`,
  '\\u0041 \\n %s %_ $1 ?1 :id {id} {{id}}',
  '--; DROP TABLE customers',
  ' spaces  around ',
  'spaces around',
  'tab\tline\nreturn\r',
  'null',
  '42',
  'x'.repeat(256),
] as const

/** What a property may hold besides, but a route or a name may not. */
const IN_PROPERTIES = [...TEXTS, '', 'a\u0000b', '\u0001\u001F\u007F\u2028']

/** Ids and keys are printable ASCII. The longest have 128 and 255 characters. */
const IDS = ['Ada', 'ada', 'ADA', '__proto__', 'constructor', '0', '00', '1e3', `a'b"c\`d\\e`, '%', '_', '{}', 'z'.repeat(128)]
const KEYS = ['Key', 'key', '__proto__', `'";--`, '%s$1', '0', '00', 'k'.repeat(255)]

const NUMBERS: Properties = {
  zero: 0,
  small: 5e-324,
  large: 1.7976931348623157e308,
  third: 0.1,
  safe: 2 ** 53,
  yes: true,
  no: false,
}

export const VALUE_CHECKS: readonly StoreCheck[] = [
  {
    id: 'S05',
    level: 'MUST',
    title: 'quantities and money are exact at 2^63 - 1 and at the smallest fraction, and nothing is written beyond it',
    async run({ open, eye }) {
      const store = await open()
      const money = { minor: MOST, currency: 'USD' }
      await write(store, [posted('big', { quantity: MOST - 1n }), posted('small', { quantity: 1n })])
      await write(store, [reserved('r1', { feature: 'downloads', quantity: MOST }), drafted('i1', { total: money })])
      expect(await isRefused(write(store, [posted('over', { quantity: 1n })]))).toBe(true)
      for (const one of [store, await open()]) {
        expect((await logOf(one)).map(({ quantity }) => quantity)).toEqual([MOST - 1n, 1n])
        expect(await allOf(one.totals)).toMatchObject([{ quantity: MOST, events: 2 }])
        expect(await one.recount({ customerId: 'ada', feature: 'api_calls', periodStart: JANUARY })).toEqual({
          quantity: MOST,
          events: 2,
          cost: DECIMAL_ZERO,
          uncovered: DECIMAL_ZERO,
        })
        const { usage } = await accountOf(one)
        expect(usage.map((each) => [each.feature, each.posted, each.reserved])).toEqual([
          ['api_calls', MOST, 0n],
          ['downloads', 0n, MOST],
        ])
        expect(await one.invoice('i1')).toEqual(invoiceOf('i1', { total: money }))
      }
      expect((await eye.events()).map(({ quantity }) => quantity)).toEqual([MOST - 1n, 1n])
      expect(await eye.reservations()).toMatchObject([{ quantity: MOST }])
    },
  },
  {
    id: 'S30',
    level: 'MUST',
    title: 'text of every kind comes back as it was given, and texts that only look the same stay apart',
    async run({ open, eye }) {
      const store = await open()
      const texts: Entry[] = IN_PROPERTIES.map((text, i) => given(`t${i}`, { properties: { text } }))
      const routes: Entry[] = TEXTS.flatMap((route, i) => [given(`r${i}`, { route }), reserved(`held${i}`, { route })])
      const keys: Entry[] = KEYS.map((key) => given(key))
      const names = TEXTS.map((name, i) => [`n${i}`, customerEntry(`n${i}`, { name, email: `${name}@example.test` })] as const)
      await write(store, [...texts, ...routes, ...keys])
      for (const customerId of IDS) await write(store, [posted(`of ${customerId}`, { customerId })], { customerId })
      for (const [customerId, entry] of names) await store.change({ customerId }, () => ({ result: undefined, entries: [entry] }))

      for (const one of [store, await open()]) {
        const log = new Map((await logOf(one)).map((event) => [event.key, event]))
        const { known, reservations } = await accountOf(one, 'ada', [...log.keys()])
        for (const [i, text] of IN_PROPERTIES.entries())
          for (const events of [log, known]) expect(events.get(`t${i}`)?.properties).toEqual({ text })
        for (const [i, route] of TEXTS.entries())
          for (const held of [log.get(`r${i}`), known.get(`r${i}`), reservations.get(`held${i}`)]) expect(held?.route).toBe(route)
        for (const key of KEYS) for (const events of [log, known]) expect(events.get(key)?.key).toBe(key)
        const others = IDS.filter((id) => id !== 'ada')
        expect(await allOf(one.customerIds)).toEqual(['ada', ...others, ...names.map(([id]) => id)])
        for (const id of IDS) expect((await accountOf(one, id)).customer?.id).toBe(id)
        for (const [id, entry] of names)
          expect({ kind: 'customer', customer: (await accountOf(one, id)).customer }).toEqual(entry)
      }
      expect(new Set((await eye.events()).map(({ route }) => route))).toEqual(new Set([...TEXTS, '/v1/:id']))
      expect((await eye.customers()).map(({ name }) => name).filter((name) => name !== null)).toHaveLength(TEXTS.length)
    },
  },
  {
    id: 'S31',
    level: 'MUST',
    title: 'what is absent comes back as absent, zero as zero, and numbers and truth values as they were given',
    async run({ open, eye }) {
      const store = await open()
      const bare: Entry[] = [
        given('null', { route: null, properties: null }),
        given('empty', { route: '/', properties: {}, quantity: 0n }),
        given('numbers', { properties: NUMBERS, at: 0, periodStart: 0 }),
        reserved('r1', { route: null, quantity: 0n }),
      ]
      await write(store, bare)
      for (const one of [store, await open()]) {
        const { customer, subscription, known, reservations } = await accountOf(one, 'ada', ['null', 'empty', 'numbers'])
        expect(customer).toEqual<Customer>({ id: 'ada', name: null, email: null, timeZone: 'UTC', createdAt: JANUARY })
        expect(subscription).toBeNull()
        expect(reservations.get('r1')).toMatchObject({ route: null, quantity: 0n })
        for (const events of [known, new Map((await logOf(one)).map((event) => [event.key, event]))]) {
          expect(events.get('null')).toMatchObject({ route: null, properties: null, quantity: UNIT })
          expect(events.get('empty')).toMatchObject({ route: '/', properties: {}, quantity: 0n })
          expect(events.get('numbers')).toMatchObject({ properties: NUMBERS, at: 0 })
        }
        expect((await allOf(one.totals)).toSorted((a, b) => a.periodStart - b.periodStart)).toMatchObject([
          { periodStart: 0, quantity: UNIT, events: 1 },
          { quantity: UNIT, events: 2 },
        ])
      }
      expect((await eye.events()).map(({ route, properties }) => [route, properties])).toEqual([
        [null, null],
        ['/', {}],
        ['/v1/:id', NUMBERS],
      ])
    },
  },
]
