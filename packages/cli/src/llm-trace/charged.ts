/** What the log of events charged each customer, exact. */

import { add, type Decimal, DECIMAL_ZERO, formatDecimal, type Store } from '@farebox/core/contracts'
import { eachOf } from '../listing.ts'

/** Amounts are in the main unit of the currency. */
export interface ChargedCustomer {
  calls: number
  inputTokens: number
  outputTokens: number
  /** At the provider's prices. */
  providerCost: Decimal
  /** With the margin. */
  charged: Decimal
  /** Of it: what the balance did not cover. */
  overdraft: Decimal
  /** What the balance of the last month paid. */
  paidInLastMonth: Decimal
}

export interface Charged {
  readonly events: number
  readonly customers: ReadonlyMap<string, ChargedCustomer>
  /** Every price of a million tokens that was used, as plain decimals, in the order in which it first was. */
  readonly prices: { readonly input: readonly string[]; readonly output: readonly string[] }
}

const PAGE = 10_000

/** Reads the whole log once. The last month begins at `lastMonth`. */
export async function readCharged(store: Store, lastMonth: number): Promise<Charged> {
  const customers = new Map<string, ChargedCustomer>()
  const prices = { input: new Set<string>(), output: new Set<string>() }
  let events = 0
  for await (const { customerId, at, charge } of eachOf((after) => store.log({ after, limit: PAGE }))) {
    if (charge?.model === undefined) continue
    events += 1
    let customer = customers.get(customerId)
    if (customer === undefined) customers.set(customerId, (customer = nothing()))
    customer.calls += 1
    for (const { name, tokens, perMillion } of charge.model.classes) {
      if (name !== 'input' && name !== 'output') continue
      customer[name === 'input' ? 'inputTokens' : 'outputTokens'] += tokens
      prices[name].add(formatDecimal(perMillion))
    }
    customer.providerCost = add(customer.providerCost, charge.model.providerCost)
    customer.charged = add(customer.charged, charge.cost)
    customer.overdraft = add(customer.overdraft, charge.uncovered)
    if (at < lastMonth) continue
    for (const { amount } of charge.parts) customer.paidInLastMonth = add(customer.paidInLastMonth, amount)
  }
  return { events, customers, prices: { input: [...prices.input], output: [...prices.output] } }
}

export function nothing(): ChargedCustomer {
  const zero = DECIMAL_ZERO
  return { calls: 0, inputTokens: 0, outputTokens: 0, providerCost: zero, charged: zero, overdraft: zero, paidInLastMonth: zero }
}
