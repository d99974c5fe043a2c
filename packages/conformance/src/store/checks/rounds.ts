/** What comes after the invoice of its period: it waits for a later invoice, in a total of its own. */

import type { Store, TotalQuery } from '@farebox/core/contracts'
import { expect } from 'vitest'
import { accountOf, allOf, logOf, write } from '../account.ts'
import type { StoreCheck } from '../check.ts'
import { drafted, FEBRUARY, finalized, JANUARY, posted, UNIT } from '../records.ts'

const OF_JANUARY: TotalQuery = { customerId: 'ada', feature: 'api_calls', periodStart: JANUARY }

const keysOf = async (store: Store, other: Partial<TotalQuery> = {}): Promise<string[]> =>
  (await allOf((page) => store.events({ ...OF_JANUARY, ...other, ...page }), 2)).map(({ key }) => key)

const invoice = (id: string) => [drafted(id), finalized(id, { sealed: ['api_calls'] })]

export const ROUND_CHECKS: readonly StoreCheck[] = [
  {
    id: 'S49',
    level: 'MUST',
    title: 'what comes after the invoice of its period is in a total of its own, which a later invoice holds, and so on',
    async run({ open, eye }) {
      const stores = [await open(), await open()] as const
      const [one, two] = stores
      await write(one, [posted('e1'), posted('e2'), posted('next', { periodStart: FEBRUARY }), ...invoice('i1')])
      const [corrects = 0, second = 0] = (await logOf(two)).map(({ seq }) => seq)
      await write(two, [posted('late', { quantity: 3n })])
      await write(one, [posted('back', { quantity: -UNIT, corrects })])
      for (const store of stores) {
        expect(
          (await store.totalsOf(OF_JANUARY)).map(({ invoiceId, quantity, events }) => [invoiceId, quantity, events]),
        ).toEqual([
          ['i1', 2n * UNIT, 2],
          [null, 3n - UNIT, 2],
        ])
        expect((await accountOf(store)).usage).toMatchObject([
          { periodStart: JANUARY, posted: 3n - UNIT, events: 2 },
          { periodStart: FEBRUARY, posted: UNIT },
        ])
      }
      // Rounds end and begin within one change, too.
      await write(two, [...invoice('i2'), posted('later'), ...invoice('i3'), posted('latest'), posted('newest')])
      const rounds = { i1: ['e2', 'e1'], i2: ['back', 'late'], i3: ['later'], null: ['newest', 'latest'] }
      for (const store of [...stores, await open()]) {
        const totals = await store.totalsOf(OF_JANUARY)
        expect(totals.map(({ invoiceId }) => String(invoiceId))).toEqual(Object.keys(rounds))
        for (const { quantity, events, cost, uncovered, invoiceId } of totals) {
          expect(await store.recount({ ...OF_JANUARY, invoiceId })).toEqual({ quantity, events, cost, uncovered })
          expect(await keysOf(store, { invoiceId })).toEqual(rounds[String(invoiceId) as keyof typeof rounds])
        }
        expect(await keysOf(store)).toEqual(rounds.null)
        expect(await keysOf(store, { invoiceId: 'i9' })).toEqual([])
        expect(await store.recount({ ...OF_JANUARY, invoiceId: 'i9' })).toMatchObject({ quantity: 0n, events: 0 })
        expect((await allOf(store.totals, 2)).filter(({ periodStart }) => periodStart === JANUARY)).toEqual(totals)
        expect(await store.totalsOf({ ...OF_JANUARY, feature: 'unknown' })).toEqual([])
      }
      await expect(one.events({ ...OF_JANUARY, after: String(corrects) })).rejects.toMatchObject({ code: 'invalid_option' })
      const again = await one.events({ ...OF_JANUARY, invoiceId: 'i1', after: String(second) })
      expect(again.items.map(({ key }) => key)).toEqual(['e1'])
      const seen = (await eye.totals()).map(({ periodStart, round, events, invoice: held }) => [periodStart, round, events, held])
      expect(seen).toEqual([
        [JANUARY, 0, 2, 'i1'],
        [JANUARY, 1, 2, 'i2'],
        [JANUARY, 2, 1, 'i3'],
        [JANUARY, 3, 2, null],
        [FEBRUARY, 0, 1, null],
      ])
    },
  },
]
