/** `billing()`: the billing routes as middleware, to be mounted on a path. */

import { type BillingOptions, billing as createRouter, nodeListener } from '@farebox/core/billing'
import type { Request, Response } from 'express'

/**
 * What a customer and the operator see of the engine: usage, invoices, plans, ingest. Never counted and never refused by a
 * meter. Body parsers may stand before it. Throws a `FareboxError` at start-up: `no_farebox`, `invalid_option`.
 *
 * @example app.use('/billing', billing({ adminKey: process.env.BILLING_ADMIN_KEY }))
 */
export function billing(options?: BillingOptions): (req: Request, res: Response) => void {
  return nodeListener(createRouter(options))
}
