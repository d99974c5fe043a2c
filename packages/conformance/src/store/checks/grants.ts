/** Grants, payments and usage without a price: what pays, who holds it, and what is kept for the record. */

import {
  type AccountState,
  decimal,
  emptyAccount,
  formatDecimal,
  loadRecord,
  type RecordKind,
  type Store,
} from '@farebox/core/contracts'
import { expect } from 'vitest'
import { accountOf, allOf, isRefused, write } from '../account.ts'
import type { StoreCheck } from '../check.ts'
import {
  chargeOf,
  grantOf,
  granted,
  JANUARY,
  paid,
  paymentOf,
  posted,
  released,
  reserved,
  unpriced,
  unpricedOf,
} from '../records.ts'

/** What was used of each grant, and what is held. */
const shown = ({ grants }: AccountState): Record<string, [used: string, held: string]> =>
  Object.fromEntries([...grants].map(([id, { used, held }]) => [id, [formatDecimal(used), formatDecimal(held)]]))

const SMALLEST = '0.000000000001'

async function idsOf(store: Store, kind: RecordKind, other: { customerId?: string; isOpen?: boolean } = {}): Promise<string[]> {
  return (await allOf((page) => store.records({ kind, ...other, ...page }), 2)).map(({ id }) => id)
}

export const GRANT_CHECKS: readonly StoreCheck[] = [
  {
    id: 'S47',
    level: 'MUST',
    title:
      'what events used of a grant and what reservations hold of it is seen by every process, and what is released is given back',
    async run({ open, eye }) {
      const stores = [await open(), await open()] as const
      const [one, two] = stores
      await write(one, [granted('g1', { granted: decimal('10') }), granted('g2')])
      const both = chargeOf({ g1: '2.5', g2: SMALLEST })
      await write(two, [reserved('r1', { charge: both }), reserved('r2', { charge: chargeOf({ g1: '3' }, '0.5') })])
      for (const store of [...stores, await open()])
        expect(shown(await accountOf(store))).toEqual({ g1: ['0', '5.5'], g2: ['0', SMALLEST] })
      // Posted with less than was held; what is left of it is free again.
      await write(one, [posted('r1', { charge: chargeOf({ g1: '1.25' }) })])
      for (const store of stores) expect(shown(await accountOf(store))).toEqual({ g1: ['1.25', '3'], g2: ['0', '0'] })
      await write(two, [released('r2')])
      // Many uses of one batch are one row.
      const many = Array.from({ length: 50 }, (_, i) =>
        write(one, [posted(`e${i}`, { charge: chargeOf({ g1: '0.1', g2: SMALLEST }) })]),
      )
      await Promise.all(many)
      for (const store of [...stores, await open()])
        expect(shown(await accountOf(store))).toEqual({ g1: ['6.25', '0'], g2: ['0.00000000005', '0'] })
      // A change that cannot be written used nothing.
      expect(await isRefused(write(two, [posted('no', { charge: chargeOf({ g2: '1' }) }), released('never')]))).toBe(true)
      expect(shown(await accountOf(two))).toMatchObject({ g2: ['0.00000000005', '0'] })
      expect((await eye.grants()).map(({ id, used }) => [id, used])).toEqual([
        ['g1', '6.25'],
        ['g2', '0.00000000005'],
      ])
    },
  },
  {
    id: 'S48',
    level: 'MUST',
    title:
      'records of a kind are listed in the order in which they were first written, as they are now; open ones are in the account',
    async run({ open, eye }) {
      const [one, two] = [await open(), await open()]
      const zoe = { customerId: 'zoe' }
      await write(one, [granted('g9'), granted('g5'), paid('p2'), unpriced('u1')], zoe)
      await write(two, [granted('g7', { expiresAt: JANUARY + 9 }), paid('p1'), unpriced('u2'), paid('p2')])
      await write(two, [granted('g1', { revoked: decimal('1.5') })], zoe)
      // What is written again keeps its place, and the last of a change counts.
      const closed = grantOf('g9', { isClosed: true, priority: -1 })
      const ended = { status: 'succeeded', endedAt: JANUARY + 5 } as const
      await write(two, [{ kind: 'granted', grant: closed }, paid('p2', { status: 'pending' }), paid('p2', ended)], zoe)
      await write(one, [unpriced('u2', { isOpen: false })])
      for (const store of [one, two, await open()]) {
        expect(await idsOf(store, 'grant')).toEqual(['g9', 'g5', 'g7', 'g1'])
        expect(await idsOf(store, 'grant', { isOpen: true })).toEqual(['g5', 'g7', 'g1'])
        expect(await idsOf(store, 'grant', { isOpen: false })).toEqual(['g9'])
        expect(await idsOf(store, 'grant', zoe)).toEqual(['g9', 'g5', 'g1'])
        expect(await idsOf(store, 'grant', { ...zoe, isOpen: true })).toEqual(['g5', 'g1'])
        expect(await idsOf(store, 'grant', { customerId: 'nobody' })).toEqual([])
        expect(await idsOf(store, 'payment')).toEqual(['p2', 'p1', 'p2'])
        expect(await idsOf(store, 'unpriced', { isOpen: true })).toEqual(['u1'])
        const account = await accountOf(store, 'zoe')
        expect([...account.grants.values()]).toEqual([grantOf('g5'), grantOf('g1', { revoked: decimal('1.5') })])
        expect(account.payments.size).toBe(0)
        expect((await accountOf(store)).payments.get('p2')).toEqual(paymentOf('p2'))
      }
      const [first] = (await one.records({ kind: 'grant' })).items
      const state = emptyAccount('zoe')
      if (first !== undefined) loadRecord(state, first)
      expect([first?.customerId, first?.isOpen, state.grants.get('g9')]).toEqual(['zoe', false, closed])
      const [, pricedSince] = (await one.records({ kind: 'unpriced' })).items
      expect(JSON.parse(pricedSince?.document ?? '')).toMatchObject({ reason: unpricedOf('u2').reason })
      expect((await eye.records()).map(({ customer, kind, id, isOpen }) => [customer, kind, id, isOpen])).toEqual([
        ['ada', 'grant', 'g7', true],
        ['ada', 'payment', 'p1', true],
        ['ada', 'payment', 'p2', true],
        ['ada', 'unpriced', 'u2', false],
        ['zoe', 'grant', 'g1', true],
        ['zoe', 'grant', 'g5', true],
        ['zoe', 'grant', 'g9', false],
        ['zoe', 'payment', 'p2', false],
        ['zoe', 'unpriced', 'u1', true],
      ])
      expect((await eye.grants())[0]).toEqual({
        customer: 'ada',
        id: 'g7',
        unit: 'credits',
        source: 'pack',
        granted: '100',
        used: '0',
        revoked: '0',
        expiresAt: JANUARY + 9,
        isOpen: true,
      })
    },
  },
]
