/** Refusals as HTTP answers that a program can act on: RFC 9457 problem documents. */

import type { Refusal, RefusalCode } from '../records/refusal.ts'
import { formatInstant } from '../values/instant.ts'
import { formatQuantity, type Quantity } from '../values/quantity.ts'
import type { HeaderList, Reply } from './contract.ts'
import { policyOf, rateLimitHeaders, secondsUntil } from './headers.ts'

/** Answers of the gate that are not about what a plan allows. */
export type EdgeCode = 'unidentified_customer' | 'store_unavailable'

/** Answers of the billing routes besides. Those that the engine has an error for carry its code. */
export type BillingCode =
  | 'admin_disabled'
  | 'admin_required'
  | 'already_subscribed'
  | 'body_consumed'
  | 'body_too_large'
  | 'correction_conflict'
  | 'credit_exceeds_invoice'
  | 'events_refused'
  | 'internal_error'
  | 'invalid_amount'
  | 'invalid_cursor'
  | 'invalid_customer'
  | 'invalid_json'
  | 'invalid_key'
  | 'invalid_model_usage'
  | 'invalid_properties'
  | 'invalid_quantity'
  | 'invalid_request'
  | 'invalid_time_zone'
  | 'invalid_timestamp'
  | 'invalid_transition'
  | 'key_conflict'
  | 'limit_reached'
  | 'no_checkout'
  | 'not_found'
  | 'not_redeemable'
  | 'payment_declined'
  | 'period_invoiced'
  | 'refund_exceeds_payment'
  | 'revoke_exceeds_grant'
  | 'unknown_coupon'
  | 'unknown_feature'
  | 'unknown_model'
  | 'unknown_pack'
  | 'unknown_plan'
  | 'unpriceable_usage'
  | 'unsupported_media_type'

export type ProblemCode = RefusalCode | EdgeCode | BillingCode

/** Status and title of every code. A title never changes between occurrences. */
export const PROBLEMS: Readonly<Record<ProblemCode, { readonly status: number; readonly title: string }>> = {
  allowance_exhausted: { status: 402, title: 'The allowance of the plan is used up' },
  credits_exhausted: { status: 402, title: 'No credits are left' },
  balance_exhausted: { status: 402, title: 'The balance is used up' },
  spend_limit_reached: { status: 402, title: 'The spend limit of the period is reached' },
  no_subscription: { status: 402, title: 'There is no subscription' },
  payment_overdue: { status: 402, title: 'A payment is due' },
  feature_not_in_plan: { status: 403, title: 'The plan does not have this feature' },
  unidentified_customer: { status: 401, title: 'The customer is unknown' },
  store_unavailable: { status: 503, title: 'Metering is not available' },
  invalid_request: { status: 400, title: 'The request is not what this route takes' },
  invalid_json: { status: 400, title: 'The body is not acceptable JSON' },
  invalid_cursor: { status: 400, title: 'The cursor is not one of a page before' },
  invalid_customer: { status: 400, title: 'The customer id is not acceptable' },
  invalid_key: { status: 400, title: 'The idempotency key is not acceptable' },
  invalid_quantity: { status: 400, title: 'The quantity is not acceptable' },
  invalid_timestamp: { status: 400, title: 'The timestamp is not acceptable' },
  invalid_properties: { status: 400, title: 'The properties are not acceptable' },
  invalid_time_zone: { status: 400, title: 'The time zone is unknown' },
  invalid_model_usage: { status: 400, title: 'The token counts are not acceptable' },
  unknown_feature: { status: 400, title: 'The feature is not in the catalog' },
  unknown_plan: { status: 400, title: 'The plan is not in the catalog' },
  unknown_pack: { status: 400, title: 'The pack of credits is not in the catalog' },
  invalid_amount: { status: 400, title: 'The amount is not acceptable' },
  unknown_coupon: { status: 400, title: 'There is no such coupon' },
  body_consumed: { status: 400, title: 'The body was read before it came here' },
  admin_required: { status: 401, title: 'The admin key is needed' },
  admin_disabled: { status: 403, title: 'The routes of the operator are off' },
  not_found: { status: 404, title: 'There is no such object' },
  payment_declined: { status: 402, title: 'The payment was declined' },
  key_conflict: { status: 409, title: 'The key was used for something else' },
  already_subscribed: { status: 409, title: 'The customer has an active subscription' },
  period_invoiced: { status: 409, title: 'The period of the event is invoiced' },
  invalid_transition: { status: 409, title: 'The status does not allow this step' },
  limit_reached: { status: 409, title: 'None of them is left' },
  not_redeemable: { status: 409, title: 'The coupon is for another plan' },
  correction_conflict: { status: 409, title: 'The event was corrected otherwise before' },
  credit_exceeds_invoice: { status: 409, title: 'The invoice has less left than is taken back' },
  refund_exceeds_payment: { status: 409, title: 'The payment has less left than is given back' },
  revoke_exceeds_grant: { status: 409, title: 'The grant has less left than is taken back' },
  no_checkout: { status: 409, title: 'There is no page to leave a way to pay on' },
  body_too_large: { status: 413, title: 'The body is too large' },
  unsupported_media_type: { status: 415, title: 'The body is of another kind' },
  events_refused: { status: 422, title: 'Some of the events were not accepted' },
  unknown_model: { status: 422, title: 'No price list has this AI model' },
  unpriceable_usage: { status: 422, title: 'The tokens have no price' },
  internal_error: { status: 500, title: 'Something is wrong on this side' },
}

/** What a client can do about a refusal. */
export interface Action {
  readonly rel: 'upgrade' | 'buy_credits' | 'top_up'
  readonly href: string
  readonly method: 'GET' | 'POST'
}

export interface RefusalReplyInput {
  readonly refusal: Refusal
  /** The key of the decision, for support. */
  readonly instance: string
  readonly actions: readonly Action[]
  readonly now: number
}

/** A wait longer than this is not worth announcing: clients may sleep for as long as they are told. One day. */
const LONGEST_RETRY_AFTER_SECONDS = 86_400

export function refusalReply({ refusal, instance, actions, now }: RefusalReplyInput): Reply {
  const { code, feature, plan, limit, used, remaining, requested, periodEnd } = refusal
  const { status, title } = PROBLEMS[code]
  const body = {
    type: problemType(code),
    title,
    status,
    detail: detailOf(refusal),
    instance: `urn:farebox:decision:${instance}`,
    code,
    'violated-policies': [feature],
    feature,
    plan,
    ...(refusal.unit === undefined ? {} : { unit: refusal.unit }),
    limit: numberOf(limit),
    used: numberOf(used),
    remaining: numberOf(remaining),
    requested: numberOf(requested),
    period_end: periodEnd === null ? null : formatInstant(periodEnd),
    actions,
  }
  return {
    status,
    headers: [
      ...PROBLEM_HEADERS,
      ...rateLimitHeaders({
        feature: refusal.unit === undefined ? feature : policyOf(refusal.unit),
        limit,
        remaining,
        periodEnd,
        now,
      }),
      ...retryAfter(refusal, now),
    ],
    body: JSON.stringify(body),
  }
}

/** 401 when nobody could be identified, 503 when the store cannot answer: never "limit reached". */
export function edgeReply(code: EdgeCode, detail: string): Reply {
  const { status, title } = PROBLEMS[code]
  const extra: HeaderList = code === 'store_unavailable' ? [['Retry-After', '1']] : [['WWW-Authenticate', 'Bearer']]
  return {
    status,
    headers: [...PROBLEM_HEADERS, ...extra],
    body: JSON.stringify({ type: problemType(code), title, status, detail, code }),
  }
}

const PROBLEM_HEADERS: HeaderList = [
  ['Content-Type', 'application/problem+json'],
  ['Cache-Control', 'no-store'],
]

/** Names the kind of problem: an absolute URI that is a name only, as RFC 9457 section 3.1.1 allows. */
export function problemType(code: string): string {
  return `urn:farebox:problem:${code}`
}

/** Where time alone helps. */
const RENEWED: ReadonlySet<RefusalCode> = new Set([
  'allowance_exhausted',
  'credits_exhausted',
  'balance_exhausted',
  'spend_limit_reached',
])

function retryAfter({ code, periodEnd }: Refusal, now: number): HeaderList {
  if (!RENEWED.has(code) || periodEnd === null) return []
  const seconds = secondsUntil(periodEnd, now)
  return seconds <= LONGEST_RETRY_AFTER_SECONDS ? [['Retry-After', String(seconds)]] : []
}

function detailOf({ code, feature, plan, limit, used, remaining, requested, periodEnd, customerId, unit }: Refusal): string {
  switch (code) {
    case 'allowance_exhausted': {
      return `The ${plan} plan includes ${text(limit)} ${feature} per period; ${text(used)} are used or reserved and this request needs ${text(requested)}.${renews(periodEnd)}`
    }
    case 'no_subscription':
      return `The customer ${customerId} has no subscription in force.`
    case 'payment_overdue':
      return `The subscription of ${customerId} to the ${plan} plan waits for its payment.`
    case 'feature_not_in_plan':
      return `The ${plan} plan does not have the feature ${feature}.`
    case 'credits_exhausted':
      return `${text(remaining)} credits are left, and this request of ${text(requested)} ${feature} needs more.${renews(periodEnd)}`
    case 'balance_exhausted':
      return `The balance has ${text(remaining)} ${unit} left, and this request of ${text(requested)} ${feature} needs more.${renews(periodEnd)}`
    case 'spend_limit_reached':
      return `The ${plan} plan stops at ${text(limit)} ${unit} per period; ${text(used)} ${unit} are spent, and this request of ${text(requested)} ${feature} costs more.${renews(periodEnd)}`
  }
}

function renews(periodEnd: number | null): string {
  return periodEnd === null ? '' : ` It renews at ${formatInstant(periodEnd)}.`
}

function text(quantity: Quantity | null): string {
  return quantity === null ? 'unlimited' : formatQuantity(quantity)
}

/** A JSON number written from the exact decimal; up to 15 digits a reader gets the same back. */
function numberOf(quantity: Quantity | null): number | null {
  return quantity === null ? null : Number(formatQuantity(quantity))
}
