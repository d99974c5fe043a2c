/** The headers that carry the remaining allowance: structured fields of the IETF RateLimit draft. */

import type { Quantity } from '../values/quantity.ts'
import { QUANTITY_SCALE } from '../values/quantity.ts'
import type { HeaderList } from './contract.ts'

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

/**
 * draft-ietf-httpapi-ratelimit-headers-10: lists of strings with integer parameters, so a fraction of a unit is rounded
 * down. `w` is left out, because calendar months differ in length; `t` says when the allowance really returns.
 */
export function rateLimitHeaders({ feature, limit, remaining, periodEnd, now }: RateLimitInput): HeaderList {
  if (limit === null || remaining === null) return []
  const reset = periodEnd === null ? '' : `;t=${secondsUntil(periodEnd, now)}`
  return [
    ['RateLimit-Policy', `"${feature}";q=${limit / QUANTITY_SCALE}`],
    ['RateLimit', `"${feature}";r=${remaining / QUANTITY_SCALE}${reset}`],
  ]
}

/** Whole seconds, rounded up, so that nobody comes back too early; never negative. */
export function secondsUntil(instant: number, now: number): number {
  return instant > now ? Math.ceil((instant - now) / 1000) : 0
}
