/** Which grants pay, and what is left of them, as other systems say. */

import { byOrder, draw, payingGrants } from '../../src/account/grants.ts'
import { type Grant, remainingOf } from '../../src/records/grant.ts'
import { add, decimal, DECIMAL_ZERO, formatDecimal } from '../../src/values/decimal.ts'
import { grantOf } from '../accounts.ts'
import { run, type Vector } from './table.ts'

/** Days are counted from the first use; what is left out is from long ago, without an end, of priority 0. */
interface GrantRow {
  readonly id: string
  readonly priority?: number
  readonly from?: number
  readonly until?: number
  readonly createdOn?: number
  readonly granted?: string
  /** How many of the same there are. */
  readonly times?: number
}

interface CreditsVector extends Vector {
  readonly grants: readonly GrantRow[]
  /** Uses of an amount, and grants that are revoked with all that is left of them. */
  readonly steps: readonly (readonly [what: 'use' | 'revoke', of: string])[]
  /** The day on which somebody looks; 0 when left out. */
  readonly lookOn?: number
  /** Of the grants that pay on that day. */
  readonly left: Readonly<Record<string, string>>
  readonly overage: string
}

run<CreditsVector>('credits', {
  ours: ({ grants: rows, steps, lookOn = 0 }) => {
    const grants = rows.flatMap((row) => Array.from({ length: row.times ?? 1 }, (_, i) => toGrant(row, i)))
    let overage = DECIMAL_ZERO
    for (const [what, of] of steps) {
      if (what === 'use') overage = add(overage, use(grants, of))
      else revoke(grants, of)
    }
    const paying = payingGrants(grants, 'credits', lookOn)
    const left = new Map(paying.map((grant) => [nameOf(grant), formatDecimal(remainingOf(grant))]))
    return { left: Object.fromEntries(left), overage: formatDecimal(overage) }
  },
  theirs: ({ left, overage }) => ({ left, overage }),
})

interface OrderVector extends Vector {
  readonly grants: readonly GrantRow[]
  readonly order: readonly string[]
}

run<OrderVector>('grant-order', {
  ours: ({ grants }) =>
    grants
      .map((row) => toGrant(row, 0))
      .sort(byOrder)
      .map(nameOf),
  theirs: ({ order }) => order,
})

function toGrant({ id, priority = 0, from = -1_000, until, createdOn = 0, granted = '1' }: GrantRow, number: number): Grant {
  const dates = { startsAt: from, expiresAt: until ?? null, createdAt: createdOn }
  return grantOf(`${id}#${number}`, { priority, granted: decimal(granted), ...dates })
}

function nameOf({ id }: Grant): string {
  return id.split('#')[0] ?? ''
}

/** Takes an amount on day 0 and gives what nobody paid. */
function use(grants: readonly Grant[], amount: string) {
  const { parts, uncovered } = draw(payingGrants(grants, 'credits', 0), decimal(amount))
  for (const part of parts) {
    const grant = grants.find(({ id }) => id === part.grant) as Grant
    grant.used = add(grant.used, part.amount)
  }
  return uncovered
}

function revoke(grants: Grant[], name: string): void {
  const place = grants.findIndex((grant) => nameOf(grant) === name)
  const grant = grants[place] as Grant
  grants[place] = { ...grant, revoked: add(grant.revoked, remainingOf(grant)) }
}
