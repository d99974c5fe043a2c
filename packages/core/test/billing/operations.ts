/** Every operation that the OpenAPI document describes: what is promised of all routes is asked of all of them, also of those to come. */

import type { BillingRouter } from '../../src/billing/index.ts'
import { billing } from '../../src/billing/index.ts'
import { createFarebox } from '../../src/index.ts'
import { sqlite } from '../../src/sqlite/store.ts'
import { shop } from './shop.ts'

export interface Operation {
  /** `GET /invoices/{id}` */
  readonly name: string
  readonly method: string
  readonly path: string
  readonly isOperators: boolean
  /** Names in the path. */
  readonly names: readonly string[]
  /** Kinds of body that it takes; none where it has no body. */
  readonly kinds: readonly string[]
  readonly needsBody: boolean
  /** Names of its query. */
  readonly queries: readonly string[]
}

interface Described {
  readonly tags: readonly string[]
  readonly parameters?: readonly { readonly name: string; readonly in: string }[]
  readonly requestBody?: { readonly content: object; readonly required?: boolean }
}

export function operationsOf({ document }: BillingRouter): Operation[] {
  const paths = document['paths'] as Record<string, Record<string, Described>>
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { tags, parameters = [], requestBody }]) => ({
      name: `${method.toUpperCase()} ${path}`,
      method: method.toUpperCase(),
      path,
      isOperators: tags.includes('operator'),
      names: [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? ''),
      kinds: Object.keys(requestBody?.content ?? {}),
      needsBody: requestBody?.required === true,
      queries: parameters.filter((parameter) => parameter.in === 'query').map(({ name }) => name),
    })),
  )
}

/** Those of a router that nobody calls, for the names of tests. */
export async function describedOperations(): Promise<Operation[]> {
  const farebox = createFarebox({ catalog: shop, store: sqlite({ path: ':memory:' }) })
  try {
    return operationsOf(billing({ farebox }))
  } finally {
    await farebox.stop()
  }
}

/** Values that exist, or could. */
export const SOME: Readonly<Record<string, string>> = {
  customer: 'ada',
  id: 'FB-000001',
  line: 'plan_base',
  seq: '1',
  feature: 'api_calls',
}

/** The path with values in it, each as it is written in a URL. */
export function pathOf({ path }: Pick<Operation, 'path'>, values: Readonly<Record<string, string>>): string {
  return path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(values[name] ?? 'none'))
}
