/** Movements of credits or of a balance as entries: what grants and events say, nothing kept twice. Pure. */

import { type Grant, type GrantSource, remainingOf } from './records/grant.ts'
import type { UsageEvent } from './records/usage-event.ts'
import { add, type Decimal, DECIMAL_ZERO, formatDecimal, isZero, negate, subtract } from './values/decimal.ts'
import { formatQuantity } from './values/quantity.ts'

/** What moved. */
export type Movement =
  /** Something was granted. `reference` is the invoice that it was bought with, where there is one. */
  | { readonly kind: 'grant'; readonly grant: string; readonly source: GrantSource; readonly reference: string | null }
  /** A refund or the operator took something back; a positive amount was given again. */
  | { readonly kind: 'revoke'; readonly grant: string; readonly reason: string | null }
  /** A grant expired, or a plan's was replaced at its reset: what was left of it is gone. */
  | { readonly kind: 'expiry'; readonly grant: string }
  /** An event used something, or a correction gave it back. `uncovered` is what it cost beyond. */
  | {
      readonly kind: 'usage' | 'correction'
      readonly feature: string
      /** Place of the event in its customer's log. */
      readonly seq: number
      readonly quantity: string
      readonly uncovered: string
    }
  /** Events that the operator's retention took out of the log, all in one. */
  | { readonly kind: 'earlier' }

/** Amounts are exact decimal strings, in credits or the main unit of the customer's currency. */
export type LedgerEntry = Movement & {
  /** When it happened: epoch milliseconds. */
  readonly at: number
  /** Negative where something was used or went. */
  readonly amount: string
  /** What there was after it. */
  readonly balance: string
}

/** A movement of a grant, with a name of its own. */
export interface GrantMovement {
  readonly at: number
  readonly name: string
  readonly amount: Decimal
  readonly movement: Movement
}

/** What happened to grants up to an instant, newest first. The grants come in the order in which they were made. */
export function movementsOf(grants: Iterable<Grant>, asOf: number): GrantMovement[] {
  const movements: GrantMovement[] = []
  for (const [number, grant] of [...grants].entries()) {
    const { id, source, reference, createdAt, granted, expiresAt, revocations = [] } = grant
    const name = (rank: string, place = 0): string => `${rank} ${descending(place)} ${descending(number)} ${id}`
    movements.push({
      at: createdAt,
      name: name(GRANTED),
      amount: granted,
      movement: { kind: 'grant', grant: id, source, reference },
    })
    for (const [place, { amount, at, reason }] of revocations.entries())
      movements.push({ at, name: name(REVOKED, place), amount: negate(amount), movement: { kind: 'revoke', grant: id, reason } })
    const left = add(remainingOf(grant), grant.held)
    if (expiresAt !== null && expiresAt <= asOf && !isZero(left))
      movements.push({ at: expiresAt, name: name(EXPIRED), amount: negate(left), movement: { kind: 'expiry', grant: id } })
  }
  return movements.filter(({ at }) => at <= asOf).toSorted(newestFirst)
}

/** Of what happened at one instant: what is taken back was granted before, and a reset takes the old before it gives the new. */
const [REVOKED, GRANTED, EXPIRED] = ['0', '1', '2'] as const

/** As text that sorts the other way round. */
function descending(number: number): string {
  return String(MOST - number).padStart(7, '0')
}

const MOST = 9_999_999

/** Names tell movements of one instant apart, the newer before the older. */
export function newestFirst(a: Pick<GrantMovement, 'at' | 'name'>, b: Pick<GrantMovement, 'at' | 'name'>): number {
  if (a.at !== b.at) return b.at - a.at
  if (a.name === b.name) return 0
  return a.name < b.name ? -1 : 1
}

/** What is there at an instant: held by requests in flight or not. */
export function standOf(grants: Iterable<Grant>, asOf: number): Decimal {
  let stand = DECIMAL_ZERO
  for (const { granted, revoked, used, expiresAt, createdAt } of grants) {
    if (createdAt > asOf || (expiresAt !== null && expiresAt <= asOf)) continue
    stand = add(stand, subtract(granted, add(revoked, used)))
  }
  return stand
}

/** What an event moved in a unit; null where it moved nothing there. */
export function eventMovement(event: UsageEvent, unit: string): { readonly amount: Decimal; readonly movement: Movement } | null {
  const { charge, corrects, feature, seq, quantity } = event
  if (charge === undefined || charge.unit !== unit) return null
  const paid = charge.parts.reduce((sum, { amount }) => add(sum, amount), DECIMAL_ZERO)
  if (isZero(paid) && isZero(charge.uncovered)) return null
  const kind = corrects === undefined ? 'usage' : 'correction'
  const uncovered = formatDecimal(charge.uncovered)
  return { amount: negate(paid), movement: { kind, feature, seq, quantity: formatQuantity(quantity), uncovered } }
}
