/** Notices which customers have little balance left, from what is written anyhow. */

import type { AccountState, Entry } from './account/account-state.ts'
import { isLow } from './account/auto-top-up.ts'
import { leftOf, payingGrants } from './account/grants.ts'
import type { Change, ChangeRequest, Store } from './contracts/store.ts'
import { changeBy } from './contracts/waiting.ts'
import type { Charge } from './records/charge.ts'
import type { Grant } from './records/grant.ts'
import { add, type Decimal, DECIMAL_ZERO, subtract } from './values/decimal.ts'

export interface LowBalanceParts {
  readonly store: Store
  /** Whether anything that is sold is paid from a balance: what is not costs nothing then. */
  readonly isSold: () => boolean
  /** Called when the change is durable. */
  readonly onLow: (customerId: string) => void
}

/**
 * The one door for writes, as the meter uses it. After an event, or a refusal for lack of balance, of a customer who has balance bought by itself, it looks at
 * what is left; of anybody else it looks at one member of the account.
 */
export function noticingLowBalance({ store, isSold, onLow }: LowBalanceParts): Pick<Store, 'change' | 'submit'> {
  return { change: changeBy(submit), submit }

  function submit<T>(request: ChangeRequest<T>): void {
    if (!isSold()) return store.submit(request)
    const { target } = request
    let isLeftLow = false
    store.submit<T>({
      target,
      decide(state) {
        const decided = request.decide(state)
        // Set anew each time, because a store may decide again.
        isLeftLow = state.customer?.autoTopUp !== undefined && leavesLow(state, decided)
        return decided
      },
      resolve(result) {
        request.resolve(result)
        if (isLeftLow) onLow(target.customerId)
      },
      reject: (error) => request.reject(error),
    })
  }
}

function leavesLow(state: AccountState, { result, entries }: Change<unknown>): boolean {
  if (isRefusedForLack(result)) return true
  const posted = entries.findLast((entry): entry is Extract<Entry, { kind: 'posted' }> => entry.kind === 'posted')
  const charge = posted?.event.charge
  if (posted === undefined || charge === undefined || charge.unit === 'credits') return false
  const grants = new Map<string, Grant>(state.grants)
  for (const entry of entries) if (entry.kind === 'granted') grants.set(entry.grant.id, entry.grant)
  const free = leftOf(payingGrants(grants.values(), 'balance', posted.event.at))
  const held = paidBy(state.reservations.get(posted.event.key)?.charge)
  return isLow(state.customer, subtract(add(free, held), paidBy(charge)))
}

function paidBy(charge: Charge | undefined): Decimal {
  return charge === undefined ? DECIMAL_ZERO : charge.parts.reduce((sum, { amount }) => add(sum, amount), DECIMAL_ZERO)
}

/** An admission, or what became of a tracked event. */
function isRefusedForLack(result: unknown): boolean {
  if (typeof result !== 'object' || result === null || !('refusal' in result)) return false
  return (result.refusal as { readonly code?: unknown } | undefined)?.code === 'balance_exhausted'
}
