/** Usage that needs the operator: an event that was wrong, and tokens that have no price. */

import { createRoute } from '@hono/zod-openapi'
import { formatQuantity } from '../values/quantity.ts'
import { parsePlaceCursor, placeCursor } from './cursors.ts'
import { CorrectionInput, NoQuery, UnpricedQuery } from './inputs.ts'
import { unpricedJson } from './json.ts'
import { Problem } from './problems.ts'
import { answers, type BillingApp, given, jsonBody, OPERATOR, optionalJsonBody, PROBLEM, type RouteParts } from './routes.ts'
import { pageOf } from './schemas.ts'
import { Nothing } from './subscription-inputs.ts'
import { Correction, Retry, UnpricedUsage } from './usage-schemas.ts'

const DEFAULT_PAGE = 100
const corrected = { 'application/json': { schema: Correction } }

const correct = createRoute({
  ...OPERATOR,
  method: 'post',
  path: '/admin/corrections',
  operationId: 'correct_event',
  summary: 'Take back part or all of a usage event, by an event of its own',
  request: { query: NoQuery, body: jsonBody(CorrectionInput) },
  responses: {
    201: { description: 'Corrected, and durable', content: corrected },
    200: { description: 'It was corrected to this before', content: corrected },
    default: PROBLEM,
  },
})

const unpriced = createRoute({
  ...OPERATOR,
  method: 'get',
  path: '/admin/unpriced',
  operationId: 'list_unpriced_usage',
  summary: 'Usage of AI models that has no price yet, in the order in which it came',
  request: { query: UnpricedQuery },
  responses: answers(pageOf('UnpricedUsages', UnpricedUsage), 'A page of what waits'),
})

const retry = createRoute({
  ...OPERATOR,
  method: 'post',
  path: '/admin/unpriced/retry',
  operationId: 'retry_unpriced_usage',
  summary: 'Price what waits again, after the price list was updated',
  request: { query: NoQuery, body: optionalJsonBody(Nothing) },
  responses: answers(Retry, 'How many found a price, and how many wait'),
})

export function addOperatorUsageRoutes(app: BillingApp, { farebox }: RouteParts): void {
  app.openapi(correct, async (c) => {
    const { customer: customerId, idempotency_key: idempotencyKey, ...others } = c.req.valid('json')
    const result = await farebox.usage.correct({ customerId, ...given({ idempotencyKey, ...others }) })
    const { key, quantity, corrects = 0 } = result.event
    if (result.kind === 'conflict')
      throw new Problem(
        'correction_conflict',
        `Expected the correction of the event ${corrects} that was made before, of ${formatQuantity(quantity)} units, got another: an event is corrected once.`,
      )
    const json = { result: result.kind, key, quantity: formatQuantity(quantity), corrects }
    return c.json(json, result.kind === 'corrected' ? 201 : 200)
  })
  app.openapi(unpriced, async (c) => {
    const { cursor, limit = DEFAULT_PAGE, customer: customerId } = c.req.valid('query')
    const page = await farebox.usage.unpriced({ after: parsePlaceCursor(cursor), limit, ...given({ customerId }) })
    return c.json({ items: page.items.map(unpricedJson), next: placeCursor(page.next) }, 200)
  })
  app.openapi(retry, async (c) => {
    const { priced, waiting } = await farebox.usage.retryUnpriced()
    return c.json({ priced, waiting }, 200)
  })
}
