/** What reservations hold and release, as other systems and papers say; through a gate, on a real store. */

import { onTestFinished } from 'vitest'
import { defineCatalog } from '../../src/catalog/define-catalog.ts'
import { createFarebox } from '../../src/farebox.ts'
import type { Gate, MeteredRequest } from '../../src/http/contract.ts'
import { sqlite } from '../../src/sqlite/store.ts'
import { formatQuantity } from '../../src/values/quantity.ts'
import { run, type Vector } from './table.ts'

interface ReservationVector extends Vector {
  readonly limit: string
  /** Reserved before and not settled. */
  readonly held: readonly string[]
  readonly ask: string
  /** What the request turned out to use; `'0'` voids it. Left out, it is not settled. */
  readonly used?: string
  /** What the limit leaves: before the request, while it is held, and after it is settled. */
  readonly left: readonly string[]
  /** What the source answers in place of `left`. */
  readonly error?: string
}

run<ReservationVector>('reservations', {
  ours: async ({ limit, held, ask, used }) => {
    const { gate, left } = openGate(limit)
    for (const units of held) await hold(gate, units)
    const seen = [await left()]
    const settle = await hold(gate, ask)
    seen.push(await left())
    if (used === undefined) return seen
    await settle(used)
    return [...seen, await left()]
  },
  theirs: ({ left, error }) => error ?? left,
})

interface Raw {
  readonly units: string
}

/** A customer may use so many units and no more. */
function openGate(limit: string): { readonly gate: Gate<Raw>; left(): Promise<string> } {
  const catalog = defineCatalog({
    currency: 'USD',
    features: { units: { type: 'metered' } },
    plans: { free: { price: '0', interval: 'month', default: true, features: { units: { included: limit } } } },
  })
  const farebox = createFarebox({ catalog, store: sqlite({ path: ':memory:' }) })
  // Stopping waits for requests in flight, and some of these never end.
  onTestFinished(() => farebox.stop({ withinMs: 0 }))
  const gate = farebox.createGate<Raw>(undefined, { identify: () => 'ada', units: ({ units }) => units })
  return {
    gate,
    async left() {
      const [usage] = await farebox.usage.totals({ customerId: 'ada' })
      // Before the first request there is no customer.
      return usage === undefined ? limit : formatQuantity(usage.remaining ?? -1n)
    },
  }
}

/** Admits a request. What it gives back settles it, as voided where nothing was used. */
async function hold(gate: Gate<Raw>, units: string): Promise<(used: string) => Promise<void>> {
  const request = requestOf(units)
  const verdict = await gate.admit(request)
  if (verdict.kind !== 'admitted') throw new Error(`a request for ${units} units was ${verdict.kind}`)
  return async (used) => {
    if (used !== '0') verdict.ticket.meter.add(used)
    gate.settle(verdict.ticket, { kind: 'finished', status: used === '0' ? 500 : 200 }, request.raw)
  }
}

function requestOf(units: string): MeteredRequest<Raw> {
  return { method: 'GET', route: '/', header: () => undefined, raw: { units } }
}
