/** `billing()`: the billing routes as a Hono app, to be mounted where the application wants them. */

import { billing as createRouter, type BillingOptions } from '@farebox/core/billing'
import { type Context, Hono } from 'hono'
import { routePath } from 'hono/route'
import { asUnmetered } from './match.ts'

/**
 * What a customer and the operator see of the engine: usage, invoices, plans, ingest. Never counted and never refused by a
 * meter before it. Throws a `FareboxError` at start-up: `no_farebox`, `invalid_option`.
 *
 * @example app.route('/billing', billing({ adminKey: process.env.BILLING_ADMIN_KEY }))
 */
export function billing(options?: BillingOptions): Hono {
  const router = createRouter(options)
  return new Hono().all(
    '*',
    asUnmetered(async (c: Context) => router.fetch(await belowMount(c))),
  )
}

/** The request with its path below the mount. Its body goes on unread, unless middleware has read it. */
async function belowMount(c: Context): Promise<Request> {
  const { raw, path } = c.req
  // The pattern of the mount has as many parts as what it matched: `/api/:version/billing/*` and `/api/v1/billing/plans`.
  const parts = path.split('/').slice(routePath(c).split('/').length - 1)
  const url = new URL(raw.url)
  // A backslash would become a slash.
  url.pathname = `/${parts.join('/')}`.replaceAll('\\', '%5C')
  const body = raw.bodyUsed ? await c.req.arrayBuffer() : raw.body
  // Without `duplex` a body that is a stream is refused.
  const init = { method: raw.method, headers: raw.headers, body, signal: raw.signal, duplex: 'half' as const }
  return new Request(url, init)
}
