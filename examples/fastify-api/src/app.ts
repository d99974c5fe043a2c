/** Shortens links: making one is free, each redirect counts for the customer whose link it is. */

import type { Farebox } from '@farebox/core'
import { meter } from '@farebox/fastify'
import fastify, { type FastifyInstance } from 'fastify'

interface Link {
  readonly customerId: string
  readonly target: string
}

export async function createApp(farebox: Farebox): Promise<FastifyInstance> {
  const app = fastify({ forceCloseConnections: true })
  const links = new Map<string, Link>()

  // Whoever follows a link has no key of ours: the link says whose it is. One that nobody made is nobody's, and a 404.
  await app.register(meter, {
    farebox,
    identify: ({ params }) => links.get((params as { code: string }).code)?.customerId,
    anonymous: 'skip',
  })

  app.put<{ Params: { code: string }; Body: { target: string }; Headers: { 'x-customer': string } }>(
    '/links/:code',
    {
      config: { meter: false },
      schema: {
        headers: { type: 'object', required: ['x-customer'], properties: { 'x-customer': { type: 'string' } } },
        body: { type: 'object', required: ['target'], properties: { target: { type: 'string', format: 'uri' } } },
      },
    },
    ({ params, body, headers }, reply) => {
      links.set(params.code, { customerId: headers['x-customer'], target: body.target })
      return reply.code(201).send({ link: `/${params.code}` })
    },
  )

  app.get<{ Params: { code: string } }>('/:code', ({ params }, reply) => {
    const link = links.get(params.code)
    return link === undefined ? reply.callNotFound() : reply.redirect(link.target)
  })
  return app
}
