/** What goes wrong on a billing route, as a problem document: RFC 9457, in the shape of the 402. */

import { FareboxError } from '../errors.ts'
import { PROBLEMS, type ProblemCode, problemType } from '../http/problem.ts'

/** Thrown by a route, and answered. `detail` says what was expected, what came and what to do. */
export class Problem extends Error {
  override readonly name = 'Problem'
  readonly code: ProblemCode
  readonly members: Readonly<Record<string, unknown>>

  constructor(code: ProblemCode, detail: string, members: Readonly<Record<string, unknown>> = {}) {
    super(detail)
    this.code = code
    this.members = members
  }
}

/** Errors of the engine that are the caller's, under the code that they have there. */
const OF_THE_CALLER: ReadonlySet<string> = new Set([
  'already_subscribed',
  'credit_exceeds_invoice',
  'invalid_amount',
  'invalid_customer',
  'invalid_key',
  'invalid_model_usage',
  'invalid_option',
  'invalid_properties',
  'invalid_quantity',
  'invalid_time_zone',
  'invalid_timestamp',
  'invalid_transition',
  'key_conflict',
  'limit_reached',
  'no_checkout',
  'not_found',
  'not_redeemable',
  'period_invoiced',
  'refund_exceeds_payment',
  'revoke_exceeds_grant',
  'store_unavailable',
  'unknown_feature',
  'unknown_model',
  'unknown_pack',
  'unknown_plan',
  'unpriceable_usage',
])

/** The problem that an error is; null when it is nothing that a caller should be told. */
export function problemOf(error: unknown): Problem | null {
  if (error instanceof Problem) return error
  if (!(error instanceof FareboxError)) return null
  if (error.code === 'stopped') return new Problem('store_unavailable', 'This server is stopping: ask another one')
  // The store knows best whether a cursor is one of its own.
  if (error.code === 'invalid_option' && 'after' in error.fields) return invalidCursor()
  if (error.code === 'invalid_option') return new Problem('invalid_request', error.message)
  // The engine's own text lists the coupons, and whoever knows the code of one has it.
  if (error.code === 'unknown_coupon')
    return new Problem('unknown_coupon', 'Expected the code of a coupon, got another text: fix its spelling.')
  return OF_THE_CALLER.has(error.code) ? new Problem(error.code as ProblemCode, error.message) : null
}

export function invalidCursor(): Problem {
  return new Problem(
    'invalid_cursor',
    'Expected the cursor of a page before, got another text or that of another listing: begin again without one.',
  )
}

export function problemJson({ code, message, members }: Problem): Record<string, unknown> {
  const { status, title } = PROBLEMS[code]
  return { type: problemType(code), title, status, detail: message, code, ...members }
}

export function problemResponse(problem: Problem): Response {
  const { status } = PROBLEMS[problem.code]
  const headers = new Headers({ 'Content-Type': 'application/problem+json', 'Cache-Control': 'no-store' })
  if (status === 401) headers.set('WWW-Authenticate', 'Bearer')
  if (status === 503) headers.set('Retry-After', '1')
  return new Response(JSON.stringify(problemJson(problem)), { status, headers })
}
