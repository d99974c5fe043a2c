/** `billing()`: the billing routes as a listener of Node's, which both platforms take. */

import { billing as createRouter, type BillingOptions, nodeListener } from '@farebox/core/billing'

/**
 * Makes the billing routes. Mount them in `main.ts` before `listen`: they are in front of body parsers, guards and the global
 * prefix then, and never metered. Throws a `FareboxError` when it is called: `invalid_option`, `no_farebox`.
 *
 * @example app.use('/billing', billing({ adminKey: process.env.BILLING_ADMIN_KEY }))
 */
export function billing(options?: BillingOptions): ReturnType<typeof nodeListener> {
  return nodeListener(createRouter(options))
}
