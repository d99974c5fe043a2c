/** `billing()`: the billing routes as one web-standard router, from `Request` to `Response`. */

import { OpenAPIHono } from '@hono/zod-openapi'
import { getPath } from 'hono/utils/url'
import { createAccess } from './access.ts'
import { MAX_BATCH_BYTES, MAX_BODY_BYTES } from './body.ts'
import { addChangeRoutes } from './change-routes.ts'
import { addCustomerRoutes } from './customer-routes.ts'
import { createProofs } from './explanations.ts'
import { addIngestRoutes } from './ingest-routes.ts'
import { addInvoiceRoutes } from './invoice-routes.ts'
import { addOperatorCustomerRoutes } from './operator-customer-routes.ts'
import { addOperatorInvoiceRoutes } from './operator-invoice-routes.ts'
import { addOperatorPaymentRoutes } from './operator-payment-routes.ts'
import { addOperatorPrepaidRoutes } from './operator-prepaid-routes.ts'
import { addOperatorRoutes } from './operator-routes.ts'
import { addOperatorSubscriptionRoutes } from './operator-subscription-routes.ts'
import { addOperatorUsageRoutes } from './operator-usage-routes.ts'
import { type BillingOptions, checkBillingOptions } from './options.ts'
import { addPaymentRoutes } from './payment-routes.ts'
import { addPrepaidRoutes } from './prepaid-routes.ts'
import { Problem, problemOf, problemResponse } from './problems.ts'
import { type BillingVariables, invalidRequest, readBody, type RouteParts } from './routes.ts'

export interface BillingRouter {
  /** Answers a request whose URL has the path as the routes have it, or `basePath` before it. Never rejects. */
  fetch(request: Request): Promise<Response>
  /** The OpenAPI 3.1 document of the routes, as `GET /openapi.json` serves it. */
  readonly document: Readonly<Record<string, unknown>>
}

/** Routes of the operator, and those where other systems report events: the admin key opens them. Everything else is a customer's. */
const OPERATOR_PATHS = ['/admin/', '/api/'] as const
const BATCH_PATH = '/admin/events/batch'
/** The one route for everybody. */
const DOCUMENT_PATH = '/openapi.json'

/**
 * Makes the router. Its requests are never metered, so a customer over every limit still reaches it. Throws a `FareboxError`
 * when it is called: `invalid_option`, `no_farebox`.
 */
export function billing(options: BillingOptions = {}): BillingRouter {
  const settings = checkBillingOptions(options)
  const { farebox, basePath, offeredPlans } = settings
  const parts: RouteParts = { farebox, access: createAccess(settings), offeredPlans, prove: createProofs(farebox) }
  const app = new OpenAPIHono<BillingVariables>({
    getPath: (request) => belowBase(getPath(request), basePath),
    defaultHook: (result) => {
      if (!result.success) throw invalidRequest(result.error)
    },
  })

  app.onError((error) => {
    const problem = problemOf(error)
    if (problem !== null) return problemResponse(problem)
    farebox.onError(error)
    return problemResponse(new Problem('internal_error', 'The request could not be answered. The operator has been told.'))
  })
  app.notFound(() =>
    problemResponse(
      new Problem('not_found', 'Expected one of the billing routes, got another path or method: openapi.json lists them.'),
    ),
  )
  app.use(async (c, next) => {
    await next()
    if (!c.res.headers.has('Cache-Control')) c.res.headers.set('Cache-Control', 'no-store')
    c.res.headers.set('X-Content-Type-Options', 'nosniff')
  })
  // Whoever forgets to say who may call a new route has made one of a customer's.
  app.use(async (c, next) => {
    const { path, raw } = c.req
    if (isOperators(path)) parts.access.requireOperator(raw)
    else if (path !== DOCUMENT_PATH) c.set('customerId', await parts.access.customerOf(raw))
    await next()
  })
  app.use(async (c, next) => {
    const { path } = c.req
    // CloudEvents come in kinds of their own, and are read where they are taken.
    if (path.startsWith('/api/')) return next()
    const maxBytes = path === BATCH_PATH ? MAX_BATCH_BYTES : MAX_BODY_BYTES
    return readBody({ maxBytes, isRequired: !isOperators(path) })(c, next)
  })
  addCustomerRoutes(app, parts)
  addInvoiceRoutes(app, parts)
  addChangeRoutes(app, parts)
  addPrepaidRoutes(app, parts)
  addPaymentRoutes(app, parts)
  addOperatorRoutes(app, parts)
  addOperatorCustomerRoutes(app, parts)
  addOperatorSubscriptionRoutes(app, parts)
  addOperatorInvoiceRoutes(app, parts)
  addOperatorUsageRoutes(app, parts)
  addOperatorPrepaidRoutes(app, parts)
  addOperatorPaymentRoutes(app, parts)
  addIngestRoutes(app, parts)
  const document = documentOf(app)
  app.get(DOCUMENT_PATH, (c) => c.json(document))
  return { fetch: async (request) => app.fetch(request), document }
}

function isOperators(path: string): boolean {
  return OPERATOR_PATHS.some((prefix) => path.startsWith(prefix))
}

function belowBase(path: string, basePath: string): string {
  return basePath !== '' && path.startsWith(`${basePath}/`) ? path.slice(basePath.length) : path
}

function documentOf(app: OpenAPIHono<BillingVariables>): Record<string, unknown> {
  const { openAPIRegistry: registry } = app
  registry.registerComponent('securitySchemes', 'customer_key', { type: 'apiKey', in: 'header', name: 'x-api-key' })
  registry.registerComponent('securitySchemes', 'customer_bearer', { type: 'http', scheme: 'bearer' })
  registry.registerComponent('securitySchemes', 'admin_key', { type: 'http', scheme: 'bearer' })
  return {
    ...app.getOpenAPI31Document({
      openapi: '3.1.0',
      info: {
        title: 'Farebox billing routes',
        version: '1',
        description:
          'Usage, credits, balance, invoices, payments and the subscription for the calling customer; all customers, usage events and money for the operator.',
        license: { name: 'MIT', url: 'https://opensource.org/license/mit' },
      },
      servers: [{ url: '.', description: 'Where the routes are mounted' }],
      tags: [
        { name: 'customer', description: 'For the calling customer, by an API key' },
        { name: 'operator', description: 'For the operator, by the admin key' },
      ],
    }),
  }
}
