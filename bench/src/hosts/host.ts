/** What is measured on each framework: the bare one, Farebox, and what its users take instead. */

import type { Server } from 'node:http'
import { createFarebox, defineCatalog, type Farebox } from '@farebox/core'
import { sqlite } from '@farebox/core/sqlite'
import { postgres } from '@farebox/postgres'

/** A listening application under measurement. */
export interface Hosted {
  readonly server: Server
  /** Ends what is not the server's. */
  stop(): Promise<void>
}

/** Name → how it is made; `file` is a database path of its own. The route is `GET /v1/items/:id`, which answers JSON. */
export type Variants = Readonly<Record<string, (file: string) => Promise<Hosted>>>

/** Nobody reaches it: what is measured is the counting, not the refusing. */
export const UNREACHABLE = 1_000_000_000

export const CUSTOMERS = 1_000

/** Requests that a handler has run for. */
export const served = { requests: 0 }

/** What every handler answers. */
export function item(id: string): { id: string; name: string } {
  served.requests += 1
  return { id, name: 'item' }
}

/** Every variant is told who calls in the same way, so that none pays for looking keys up. */
export function keyOf(request: { readonly headers: Readonly<Record<string, string | string[] | undefined>> }): string {
  return String(request.headers['x-customer'])
}

/** `postgres` is the server that DATABASE_URL names, in a schema of its own. */
export type Kept = 'full' | 'process' | 'postgres'

export async function startFarebox(path: string, kept: Kept): Promise<Farebox> {
  const catalog = defineCatalog({
    currency: 'USD',
    features: { api_calls: { type: 'metered', default: true } },
    plans: { paid: { price: '5.00', interval: 'month', default: true, features: { api_calls: { included: UNREACHABLE } } } },
  })
  const schema = `bench_${process.pid}`
  const connectionString = process.env['DATABASE_URL'] ?? ''
  const store = kept === 'postgres' ? postgres({ connectionString, schema }) : sqlite({ path, durability: kept })
  const farebox = createFarebox({ catalog, store })
  await farebox.ready
  return farebox
}

export async function nothing(): Promise<void> {}

export async function listening(server: Server): Promise<Server> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}
