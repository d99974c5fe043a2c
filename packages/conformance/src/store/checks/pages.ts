/** Pages: as many items as were asked for at most, and cursors that were never given lead nowhere. */

import { MAX_PAGE, type Page, type PageRequest, type Store } from '@farebox/core/contracts'
import { expect } from 'vitest'
import { allOf, write } from '../account.ts'
import type { StoreCheck } from '../check.ts'
import { drafted, granted, JANUARY, posted } from '../records.ts'

type List = (page: PageRequest) => Promise<Page<unknown>>

/** More than the items of a page for which nobody asked. */
const MANY = 105

/** Every listing, with an item for each customer, or with as many of one. */
async function fill(store: Store): Promise<Record<string, List>> {
  const ids = Array.from({ length: MANY }, (_, i) => `c${i}`)
  const filled = ids.map((customerId) => {
    const ofInvoice = drafted(`inv-${customerId}`, { customerId })
    return write(store, [posted('e1', { customerId }), ofInvoice, granted('g1')], { customerId })
  })
  await Promise.all(filled)
  const more = Array.from({ length: MANY - 1 }, (_, i) => posted(`more${i}`, { customerId: 'c0' }))
  await write(store, more, { customerId: 'c0' })
  return listingsOf(store)
}

function listingsOf(store: Store): Record<string, List> {
  return {
    log: store.log,
    events: (page) => store.events({ customerId: 'c0', feature: 'api_calls', periodStart: JANUARY, ...page }),
    totals: store.totals,
    invoices: store.invoices,
    customerIds: store.customerIds,
    records: (page) => store.records({ kind: 'grant', ...page }),
  }
}

export const PAGE_CHECKS: readonly StoreCheck[] = [
  {
    id: 'S26',
    level: 'MUST',
    title: 'a page has at most as many items as were asked for, 100 by default, and the pages together every item once',
    async run({ open }) {
      const store = await open()
      for (const [name, list] of Object.entries(await fill(store))) {
        const whole = await list({ limit: MAX_PAGE })
        expect([name, whole.items.length, whole.next]).toEqual([name, name === 'log' ? 2 * MANY - 1 : MANY, null])
        const first = await list({})
        expect([name, first.items.length]).toEqual([name, 100])
        const rest = await list({ after: first.next ?? 'none', limit: MAX_PAGE })
        expect([...first.items, ...rest.items]).toEqual(whole.items)
        for (const limit of [1, 35]) expect((await list({ limit })).items).toEqual(whole.items.slice(0, limit))
        expect(await allOf(list, 35)).toEqual(whole.items)
        for (const limit of [0, -1, 1.5, Number.NaN, Infinity, MAX_PAGE + 1])
          await expect(list({ limit })).rejects.toMatchObject({ code: 'invalid_option' })
      }
    },
  },
  {
    id: 'S27',
    level: 'MUST',
    title: 'what is no cursor is refused in every listing',
    async run({ open }) {
      const store = await open()
      for (const list of Object.values(await fill(store)))
        for (const after of ['', ' ', 'x', '-1', '1.5', '1e3', '0x10', '[]', '{}', 'null'])
          await expect(list({ after })).rejects.toMatchObject({ code: 'invalid_option' })
    },
  },
]
