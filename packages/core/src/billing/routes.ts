/** What the routes share: how they are described, checked and answered. */

import type { OpenAPIHono, z } from '@hono/zod-openapi'
import type { MiddlewareHandler } from 'hono'
import type { FeatureCode, PlanCode } from '../catalog/catalog.ts'
import type { Farebox } from '../farebox.ts'
import type { Access } from './access.ts'
import { readJsonText, refuseUnlabelled } from './body.ts'
import type { Prove } from './explanations.ts'
import { Problem } from './problems.ts'
import { Problem as ProblemSchema } from './schemas.ts'

export interface BillingVariables {
  Variables: {
    /** The calling customer, on the routes of customers. */
    customerId: string
  }
}

export type BillingApp = OpenAPIHono<BillingVariables>

export interface RouteParts {
  readonly farebox: Farebox
  readonly access: Access
  /** Codes of the plans that customers see and may change to; null: all. */
  readonly offeredPlans: ReadonlySet<string> | null
  readonly prove: Prove
}

/** What every route of customers has in common: who may call it. */
export const CUSTOMER: { tags: string[]; security: Record<string, string[]>[] } = {
  tags: ['customer'],
  security: [{ customer_key: [] }, { customer_bearer: [] }],
}

/** The same for the operator's. */
export const OPERATOR: { tags: string[]; security: Record<string, string[]>[] } = {
  tags: ['operator'],
  security: [{ admin_key: [] }],
}

export const JSON_KIND = 'application/json'

/** The answers of a route: what it gives, and the problems that any may have. */
export function answers<Body>(
  schema: z.ZodType<Body>,
  description: string,
): {
  200: { description: string; content: { 'application/json': { schema: z.ZodType<Body> } } }
  default: typeof PROBLEM
} {
  return { 200: { description, content: { [JSON_KIND]: { schema } } }, default: PROBLEM }
}

export const PROBLEM: { description: string; content: { 'application/problem+json': { schema: typeof ProblemSchema } } } = {
  description: 'A problem document with a stable code',
  content: { 'application/problem+json': { schema: ProblemSchema } },
}

interface JsonBody<Body> {
  content: { 'application/json': { schema: z.ZodType<Body> } }
  required: boolean
}

/** A body that is checked; `readBody` has counted its bytes before. */
export function jsonBody<Body>(schema: z.ZodType<Body>): JsonBody<Body> {
  return { content: { [JSON_KIND]: { schema } }, required: true }
}

/** The same for a route that may be asked without one, which means an empty object. */
export function optionalJsonBody<Body>(schema: z.ZodType<Body>): JsonBody<Body> {
  return { ...jsonBody(schema), required: false }
}

/**
 * Reads the body within its limit, for whoever asks the context for it afterwards. One that is required says that it is JSON: a page
 * of another origin cannot make a browser send that with the customer's cookies, as it can an empty body.
 */
export function readBody({
  maxBytes,
  isRequired,
}: {
  readonly maxBytes: number
  readonly isRequired: boolean
}): MiddlewareHandler {
  return async (c, next) => {
    if (c.req.method === 'POST' || c.req.method === 'PUT') {
      const text = await textOf(c.req.raw, maxBytes, isRequired)
      // What `c.req.json()` looks for first.
      Object.assign(c.req.bodyCache, { text: Promise.resolve(text) })
    }
    await next()
  }
}

async function textOf(request: Request, maxBytes: number, isRequired: boolean): Promise<string> {
  if (isRequired || request.headers.has('content-type')) return readJsonText(request, maxBytes, [JSON_KIND])
  await refuseUnlabelled(request, [JSON_KIND])
  return ''
}

export function noSuch(what: string): Problem {
  return new Problem('not_found', `Expected a ${what} that exists, got none: look it up in the list.`)
}

/** Throws the problem `invalid_request` with what is wrong, member by member. */
export function checked<Body>(schema: z.ZodType<Body>, value: unknown): Body {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  throw invalidRequest(result.error)
}

export function invalidRequest(error: z.core.$ZodError): Problem {
  const issues = error.issues.slice(0, MOST_ISSUES).map(({ path, message }) => ({ at: path.map(String).join('.'), message }))
  const [first] = issues
  const where = first === undefined || first.at === '' ? '' : ` at ${first.at}`
  return new Problem('invalid_request', `${first?.message ?? 'Something else was expected'}${where}.`, { issues })
}

/** Enough to mend a request by. */
const MOST_ISSUES = 20

/** The members that were given: the engine tells one that is absent from one that is undefined. */
export function given<Members extends object>(members: Members): { [Name in keyof Members]?: Exclude<Members[Name], undefined> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as {
    [Name in keyof Members]?: Exclude<Members[Name], undefined>
  }
}

/** A text from outside as a code of the catalog. The engine says whether it is one. */
export function featureCode(text: string): FeatureCode {
  // oxlint-disable-next-line typescript/no-unnecessary-type-assertion -- needed in a program that has registered its catalog
  return text as FeatureCode
}

/** The same for a plan. */
export function planCode(text: string): PlanCode {
  // oxlint-disable-next-line typescript/no-unnecessary-type-assertion -- needed in a program that has registered its catalog
  return text as PlanCode
}
