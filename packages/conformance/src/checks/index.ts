/** Every check, in the order of the situations that they are about. */

import type { Check } from '../check.ts'
import { ABORT_CHECKS } from './aborts.ts'
import { BILLING_CHECKS } from './billing.ts'
import { CONCURRENCY_CHECKS } from './concurrency.ts'
import { CONTEXT_CHECKS } from './context.ts'
import { ERROR_CHECKS } from './errors.ts'
import { IDEMPOTENCY_CHECKS } from './idempotency.ts'
import { IDENTITY_CHECKS } from './identity.ts'
import { LIFECYCLE_CHECKS } from './lifecycle.ts'
import { MOUNTING_CHECKS } from './mounting.ts'
import { REFUSAL_CHECKS } from './refusal.ts'
import { REPLY_CHECKS } from './replies.ts'
import { ROUTE_CHECKS } from './routes.ts'
import { OUTAGE_CHECKS } from './outage.ts'
import { STREAM_CHECKS } from './streams.ts'
import { TRANSPORT_CHECKS } from './transport.ts'
import { UNIT_CHECKS } from './units.ts'

/** What an adapter promises. Ids never change their meaning. */
export const CHECKS: readonly Check[] = [
  ...ROUTE_CHECKS,
  ...REFUSAL_CHECKS,
  ...ERROR_CHECKS,
  ...IDENTITY_CHECKS,
  ...ABORT_CHECKS,
  ...STREAM_CHECKS,
  ...REPLY_CHECKS,
  ...CONCURRENCY_CHECKS,
  ...IDEMPOTENCY_CHECKS,
  ...UNIT_CHECKS,
  ...MOUNTING_CHECKS,
  ...BILLING_CHECKS,
  ...OUTAGE_CHECKS,
  ...CONTEXT_CHECKS,
  ...LIFECYCLE_CHECKS,
  ...TRANSPORT_CHECKS,
]

/** How many situations there are. */
export const SITUATIONS = 72

/** The situations that no adapter over HTTP shows, with where they are tested. */
export const TESTED_ELSEWHERE: Readonly<Record<number, string>> = {
  61: 'a body that middleware has read and kept nothing of is refused by the listener of @farebox/core/billing, with body_consumed',
  70: 'what is imported and required is tested with the built package of each adapter',
  71: 'GraphQL and WebSocket are of NestJS alone and tested there',
}
