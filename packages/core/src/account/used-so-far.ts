/** What was used of a running usage period: what its allowances and its grant have less, when something goes on with them. */

import type { Plan } from '../catalog/plan.ts'
import { add } from '../values/decimal.ts'
import { decimalToQuantity, type Quantity } from '../values/quantity.ts'
import type { AccountState } from './account-state.ts'
import { planGrant, prepaidName } from './plan-grant.ts'
import { type Segment, type Subscription, usagePeriod } from './subscription.ts'

export interface RunningPeriod {
  readonly state: Pick<AccountState, 'usage' | 'grants'>
  readonly subscription: Subscription
  readonly segment: Segment
  readonly plan: Plan
  /** An instant of the period. */
  readonly at: number
}

/** Units by feature, and under `prepaidName` credits or money of the plan's own grant: in millionths, posted and held alike. */
export function usedSoFar({ state, ...running }: RunningPeriod): Map<string, Quantity> {
  const { subscription, segment, plan, at } = running
  const { start } = usagePeriod(segment, subscription.timeZone, at)
  const used = new Map<string, Quantity>()
  for (const { feature, periodStart, posted, reserved } of state.usage)
    if (periodStart === start) used.set(feature, posted + reserved)
  const own = planGrant(running)
  const grant = own === null ? undefined : state.grants.get(own.id)
  if (grant !== undefined && plan.consumption !== 'metered')
    used.set(prepaidName(plan.consumption), decimalToQuantity(add(grant.used, grant.held), 'ceil'))
  return used
}
