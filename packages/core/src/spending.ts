/** What usage beyond allowance and balance costs in a usage period so far: what a spend limit caps. */

import { rate } from './rate/rate.ts'
import { add, type Decimal, DECIMAL_ZERO } from './values/decimal.ts'
import { type AccountState, findUsage } from './account/account-state.ts'
import { includedIn, blocksUnits, type Spending } from './account/allowance.ts'

/** Exact, in the currency's main unit; reserved units count like posted ones. Pure. */
export function spentOf({ state, plan, segment, periodStart, more }: Spending): Decimal {
  let spent = plan.consumption === 'balance' ? heldUncovered(state, periodStart) : DECIMAL_ZERO
  for (const terms of plan.features.values()) {
    const usage = findUsage(state.usage, terms.feature, periodStart)
    if (terms.kind === 'balance') spent = add(spent, usage?.uncovered ?? DECIMAL_ZERO)
    if (terms.kind !== 'metered' || terms.overage === 'block' || blocksUnits(terms, segment)) continue
    const added = more?.feature === terms.feature ? more.quantity : 0n
    const used = (usage?.posted ?? 0n) + (usage?.reserved ?? 0n) + added
    const included = includedIn(terms, { segment, periodStart })
    if (included === 'unlimited' || used <= included) continue
    for (const { amount } of rate(terms.overage, used - included)) spent = add(spent, amount)
  }
  return spent
}

/** What requests in flight may cost that no balance covers. */
function heldUncovered({ reservations }: AccountState, start: number): Decimal {
  let held = DECIMAL_ZERO
  for (const { periodStart, charge } of reservations.values())
    if (charge !== undefined && periodStart === start) held = add(held, charge.uncovered)
  return held
}
