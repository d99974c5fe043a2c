/** Refusals as HTTP answers that a program can act on: RFC 9457 problem documents. */

import type { Refusal, RefusalCode } from '../records/refusal.ts'
import { formatInstant } from '../values/instant.ts'
import { formatQuantity, type Quantity } from '../values/quantity.ts'
import type { HeaderList, Reply } from './contract.ts'
import { rateLimitHeaders, secondsUntil } from './headers.ts'

/** Answers of the gate that are not about what a plan allows. */
export type EdgeCode = 'unidentified_customer' | 'store_unavailable'

/** Status and title of every code. A title never changes between occurrences. */
export const PROBLEMS: Readonly<Record<RefusalCode | EdgeCode, { readonly status: number; readonly title: string }>> = {
  allowance_exhausted: { status: 402, title: 'The allowance of the plan is used up' },
  credits_exhausted: { status: 402, title: 'No credits are left' },
  balance_exhausted: { status: 402, title: 'The balance is used up' },
  spend_limit_reached: { status: 402, title: 'The spend limit of the period is reached' },
  no_subscription: { status: 402, title: 'There is no subscription' },
  payment_overdue: { status: 402, title: 'A payment is due' },
  feature_not_in_plan: { status: 403, title: 'The plan does not have this feature' },
  unidentified_customer: { status: 401, title: 'The customer is unknown' },
  store_unavailable: { status: 503, title: 'Metering is not available' },
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
      ...rateLimitHeaders({ feature, limit, remaining, periodEnd, now }),
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
function problemType(code: string): string {
  return `urn:farebox:problem:${code}`
}

function retryAfter({ code, periodEnd }: Refusal, now: number): HeaderList {
  if (code !== 'allowance_exhausted' || periodEnd === null) return []
  const seconds = secondsUntil(periodEnd, now)
  return seconds <= LONGEST_RETRY_AFTER_SECONDS ? [['Retry-After', String(seconds)]] : []
}

function detailOf({ code, feature, plan, limit, used, requested, periodEnd, customerId }: Refusal): string {
  switch (code) {
    case 'allowance_exhausted': {
      const renewal = periodEnd === null ? '' : ` It renews at ${formatInstant(periodEnd)}.`
      return `The ${plan} plan includes ${text(limit)} ${feature} per period; ${text(used)} are used or reserved and this request needs ${text(requested)}.${renewal}`
    }
    case 'no_subscription':
      return `The customer ${customerId} has no subscription in force.`
    case 'payment_overdue':
      return `The subscription of ${customerId} to the ${plan} plan waits for its payment.`
    case 'feature_not_in_plan':
      return `The ${plan} plan does not have the feature ${feature}.`
    case 'credits_exhausted':
    case 'balance_exhausted':
    case 'spend_limit_reached':
      return `${PROBLEMS[code].title}: this request needs ${text(requested)} ${feature}.`
  }
}

function text(quantity: Quantity | null): string {
  return quantity === null ? 'unlimited' : formatQuantity(quantity)
}

/** A JSON number written from the exact decimal; up to 15 digits a reader gets the same back. */
function numberOf(quantity: Quantity | null): number | null {
  return quantity === null ? null : Number(formatQuantity(quantity))
}
