/** Hono 4 on Node. */

import type { Server } from 'node:http'
import { meter } from '@farebox/hono'
import { createAdaptorServer } from '@hono/node-server'
import { Hono, type MiddlewareHandler } from 'hono'
import { rateLimiter } from 'hono-rate-limiter'
import { type Hosted, item, listening, nothing, startFarebox, UNREACHABLE, type Variants } from './host.ts'

export const HONO: Variants = {
  bare: () => host(null),
  'farebox full': (file) => farebox(file, 'full'),
  'farebox process': (file) => farebox(file, 'process'),
  'hono-rate-limiter, memory': () =>
    host(rateLimiter({ windowMs: 60_000, limit: UNREACHABLE, keyGenerator: (c) => c.req.header('x-customer') ?? '' })),
}

async function host(handler: MiddlewareHandler | null, stop: () => Promise<void> = nothing): Promise<Hosted> {
  const app = new Hono()
  if (handler !== null) app.use(handler)
  app.get('/v1/items/:id', (c) => c.json(item(c.req.param('id'))))
  return { server: await listening(createAdaptorServer({ fetch: app.fetch }) as Server), stop }
}

async function farebox(file: string, durability: 'full' | 'process'): Promise<Hosted> {
  const engine = await startFarebox(file, durability)
  return host(meter({ farebox: engine, identify: (c) => c.req.header('x-customer') }), () => engine.stop())
}
