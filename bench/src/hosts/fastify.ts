/** Fastify 5. */

import { meter } from '@farebox/fastify'
import rateLimit from '@fastify/rate-limit'
import fastify, { type FastifyInstance } from 'fastify'
import { type Hosted, item, keyOf, nothing, startFarebox, UNREACHABLE, type Variants } from './host.ts'

export const FASTIFY: Variants = {
  bare: () => host(async () => {}),
  'farebox full': (file) => farebox(file, 'full'),
  'farebox process': (file) => farebox(file, 'process'),
  '@fastify/rate-limit, memory': () =>
    host(async (app) => void (await app.register(rateLimit, { max: UNREACHABLE, timeWindow: 60_000, keyGenerator: keyOf }))),
}

async function host(register: (app: FastifyInstance) => Promise<void>, stop: () => Promise<void> = nothing): Promise<Hosted> {
  const app = fastify()
  await register(app)
  app.get<{ Params: { id: string } }>('/v1/items/:id', (request, reply) => void reply.send(item(request.params.id)))
  await app.listen({ port: 0, host: '127.0.0.1' })
  return { server: app.server, stop }
}

async function farebox(file: string, durability: 'full' | 'process'): Promise<Hosted> {
  const engine = await startFarebox(file, durability)
  return host(
    async (app) => void (await app.register(meter, { farebox: engine, identify: keyOf })),
    () => engine.stop(),
  )
}
