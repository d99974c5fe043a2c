/** What became of an attempt to collect money, as an answer: paid, under way, or a problem that a program can act on. */

import type { z } from '@hono/zod-openapi'
import type { Context, TypedResponse } from 'hono'
import type { Collected as CollectedRecord } from '../collected.ts'
import { type Audience, type CollectedJson, collectedJson } from './money-json.ts'
import { Collected } from './money-schemas.ts'
import { Problem } from './problems.ts'
import { PROBLEM } from './routes.ts'

type Content = { 'application/json': { schema: z.ZodType<CollectedJson> } }

const content: Content = { 'application/json': { schema: Collected } }

/** The answers of a route that collects. One that was declined is the problem `payment_declined`. */
export const COLLECTED: {
  200: { description: string; content: Content }
  202: { description: string; content: Content }
  default: typeof PROBLEM
} = {
  200: { description: 'Paid, and what was bought is there', content },
  202: { description: 'Under way: ask again with the same key, or look at the payment', content },
  default: PROBLEM,
}

export function collectedAnswer(
  c: Context,
  collected: CollectedRecord,
  audience: Audience,
): TypedResponse<CollectedJson, 200, 'json'> | TypedResponse<CollectedJson, 202, 'json'> {
  if (collected.kind === 'declined') {
    const { code, invoice, payment } = collected
    throw new Problem('payment_declined', `The payment was declined (${code}), and no money moved.`, {
      decline_code: code,
      invoice: invoice.number ?? invoice.id,
      payment: payment.id,
    })
  }
  const json = collectedJson(collected, audience)
  return (collected.kind === 'paid' ? c.json(json, 200) : c.json(json, 202)) as TypedResponse<CollectedJson, 200, 'json'>
}
