/** The audit at the end of every check: what the public views say against each other. */

import { add, chargeFromDocument, DECIMAL_ZERO, type Decimal, formatDecimal, storedDecimal } from '@farebox/core/contracts'
import type { SecondEye, SeenEvent } from './second-eye.ts'

/** Empty when all is well. */
export async function contradictions(eye: SecondEye): Promise<string[]> {
  const events = await eye.events()
  const found: string[] = []
  const places = events.map(({ customer, seq }) => JSON.stringify([customer, seq]))
  if (new Set(places).size < places.length) found.push('two events of one customer have one place')
  const ofLog = sums(events.map((event) => ({ ...event, ...costOf(event), events: 1 })))
  const ofTotals = sums((await eye.totals()).map((total) => ({ ...total, cost: storedDecimal(total.cost) })))
  if (ofLog !== ofTotals) found.push(`the events sum up to ${ofLog}, the totals say ${ofTotals}`)
  found.push(...(await againstGrants(eye, events)), ...(await againstNumbers(eye)))
  return found
}

function costOf({ charge }: SeenEvent): { cost: Decimal } {
  return { cost: charge === null ? DECIMAL_ZERO : chargeFromDocument(charge).cost }
}

/** What the events used of each grant is what the grant says. Invoice credit is used by invoices. */
async function againstGrants(eye: SecondEye, events: readonly SeenEvent[]): Promise<string[]> {
  const used = new Map<string, Decimal>()
  for (const { customer, charge } of events) {
    for (const { grant, amount } of charge === null ? [] : chargeFromDocument(charge).parts) {
      const name = `${customer} ${grant}`
      used.set(name, add(used.get(name) ?? DECIMAL_ZERO, amount))
    }
  }
  const grants = (await eye.grants()).filter(({ unit }) => unit !== 'invoice_credit')
  return grants.flatMap((grant) => {
    const expected = formatDecimal(used.get(`${grant.customer} ${grant.id}`) ?? DECIMAL_ZERO)
    return grant.used === expected ? [] : [`the events used ${expected} of ${grant.id}, which says ${grant.used}`]
  })
}

async function againstNumbers(eye: SecondEye): Promise<string[]> {
  const numbers = new Map<string, number[]>()
  for (const { series, number } of await eye.invoices())
    if (series !== null && number !== null) numbers.set(series, [...(numbers.get(series) ?? []), number])
  return [...numbers].flatMap(([series, taken]) => {
    const isGapless = taken.toSorted((a, b) => a - b).every((number, index) => number === index + 1)
    return isGapless ? [] : [`the numbers of ${series} are ${taken.join(', ')}`]
  })
}

interface Summed {
  readonly customer: string
  readonly feature: string
  readonly periodStart: number
  readonly quantity: bigint
  readonly cost: Decimal
  readonly events: number
}

/** Quantity, cost and number of events for each feature and period of each customer, as text that compares. */
function sums(parts: readonly Summed[]): string {
  const found = new Map<string, Pick<Summed, 'quantity' | 'cost' | 'events'>>()
  for (const { customer, feature, periodStart, quantity, cost, events } of parts) {
    const key = `${customer} ${feature} ${periodStart}`
    const sum = found.get(key) ?? { quantity: 0n, cost: DECIMAL_ZERO, events: 0 }
    found.set(key, { quantity: sum.quantity + quantity, cost: add(sum.cost, cost), events: sum.events + events })
  }
  const lines = [...found]
    .filter(([, { events }]) => events > 0)
    .map(([key, { quantity, cost, events }]) => `${key} ${quantity} for ${formatDecimal(cost)} in ${events}`)
  return lines.toSorted().join('; ')
}
