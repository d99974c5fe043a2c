/** `billing`: the billing routes as a plugin, to be registered under a prefix. */

import { type BillingOptions, billing as createRouter } from '@farebox/core/billing'
import type { FastifyError, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'

/**
 * What a customer and the operator see of the engine: usage, invoices, plans, ingest. Never counted and never refused by a
 * meter. Fails the start with a `FareboxError`: `no_farebox`, `invalid_option`.
 *
 * @example await app.register(billing, { prefix: '/billing', adminKey: process.env.BILLING_ADMIN_KEY })
 */
export const billing: FastifyPluginAsync<BillingOptions & { prefix?: string }> = async (app, { prefix: _prefix, ...options }) => {
  const router = createRouter(options)
  // In this part of the application bodies come as they were sent: whether they are fit is the router's to say.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
  const answer = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> =>
    reply.send(await router.fetch(belowPrefix(request, app.prefix)))
  // Also when no parser is asked, because what was said of the kind is no media type.
  app.setErrorHandler((error: FastifyError, request, reply) => {
    if (error.code !== 'FST_ERR_CTP_INVALID_MEDIA_TYPE') throw error
    return answer(request, reply)
  })
  app.all('/*', { config: { meter: false } }, answer)
}

/** The request with its path below the prefix. A prefix may have parameters, so it is counted off part by part. */
function belowPrefix(request: FastifyRequest, prefix: string): Request {
  const { method, raw, body, headers } = request
  const [path = '', ...query] = (raw.url ?? '').split('?')
  const parts = path.split('/').slice(prefix.split('/').length)
  const url = `http://${request.host}/${[parts.join('/'), ...query].join('?')}`
  const sent = new Headers()
  for (const [name, value] of Object.entries(headers)) if (!name.startsWith(':')) sent.set(name, String(value))
  const hasBody = method !== 'GET' && method !== 'HEAD'
  // Fastify leaves a body of no kind and no length where it is. Without `duplex` a body that is a stream is refused.
  const streamed = { body: (body ?? raw) as ReadableStream, duplex: 'half' as const }
  return new Request(url, { method, headers: sent, ...(hasBody ? streamed : {}) })
}
