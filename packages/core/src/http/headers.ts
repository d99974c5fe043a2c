/** The headers that carry the remaining allowance: structured fields of the IETF RateLimit draft. */

import { formatWholeUnits, type Quantity } from '../values/quantity.ts'
import type { HeaderList } from './contract.ts'

/** Names the policy of credits or of a balance. */
export function policyOf(unit: string): string {
  return unit === 'credits' ? 'credits' : 'balance'
}

/** What the headers tell. */
export interface RateLimitInput {
  /** Names the policy. */
  readonly feature: string
  /** Units included in the period, in millionths; null: nothing to tell. */
  readonly limit: Quantity | null
  /** In millionths. */
  readonly remaining: Quantity | null
  /** When the allowance renews; null where time does not bring it back. Epoch milliseconds. */
  readonly periodEnd: number | null
  readonly now: number
}

/** The headers of one policy, for each admitted request. */
export interface RateLimit {
  headers(limit: Quantity | null, remaining: Quantity | null, periodEnd: number | null, now: number): HeaderList
}

/** The policy changes with the plan only, so the one last told is kept ready. */
export function createRateLimit(feature: string): RateLimit {
  let known: Quantity | null = null
  let policy: HeaderList[number] = policyHeader(feature, 0n)
  return {
    headers(limit, remaining, periodEnd, now) {
      if (limit === null || remaining === null) return []
      if (limit !== known) {
        known = limit
        policy = policyHeader(feature, limit)
      }
      return [policy, remainingHeader(feature, remaining, periodEnd, now)]
    },
  }
}

/**
 * draft-ietf-httpapi-ratelimit-headers-10: lists of strings with integer parameters, so a fraction of a unit is rounded
 * down. `w` is left out, because calendar months differ in length; `t` says when the allowance really returns.
 */
export function rateLimitHeaders({ feature, limit, remaining, periodEnd, now }: RateLimitInput): HeaderList {
  return createRateLimit(feature).headers(limit, remaining, periodEnd, now)
}

function policyHeader(feature: string, limit: Quantity): HeaderList[number] {
  return ['RateLimit-Policy', `"${feature}";q=${formatWholeUnits(limit)}`]
}

function remainingHeader(feature: string, remaining: Quantity, periodEnd: number | null, now: number): HeaderList[number] {
  const reset = periodEnd === null || periodEnd === Infinity ? '' : `;t=${secondsUntil(periodEnd, now)}`
  return ['RateLimit', `"${feature}";r=${formatWholeUnits(remaining)}${reset}`]
}

/** Whole seconds, rounded up, so that nobody comes back too early; never negative. */
export function secondsUntil(instant: number, now: number): number {
  return instant > now ? Math.ceil((instant - now) / 1000) : 0
}
