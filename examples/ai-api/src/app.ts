/** Passes questions on to an AI model and its answers back, and sells the tokens of both. */

import { type ModelUsage, readUsageStream, type UsageStream } from '@farebox/ai'
import type { Farebox } from '@farebox/core'
import { billing, meter } from '@farebox/hono'
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { MODEL, MOST_WORDS, type Parrot, wordsOf } from './parrot.ts'

const MOST_BYTES = 16 * 1024

export interface Services {
  readonly farebox: Farebox
  readonly parrot: Parrot
  /** Opens the routes of the operator: at least 32 characters. Without it they are off. */
  readonly adminKey?: string
}

export function createApp({ farebox, parrot, adminKey }: Services): Hono {
  const app = new Hono()
  app.get('/', (c) => c.json({ chat: 'POST /v1/chat, with the question as text' }))

  app.post('/v1/chat', bodyLimit({ maxSize: MOST_BYTES }), meter('chat', { farebox, estimate }), async (c) => {
    let read: UsageStream<ReadableStream<Uint8Array>> | null = null
    // Asked when the request is settled: at the end of the answer, or when the client leaves, though nothing was asked yet.
    c.get('meter')?.followModelUsage(() => read?.soFar() ?? NOTHING)
    const question = await c.req.text()
    if (wordsOf(question).length === 0) return c.json({ error: 'Send a question as the body' }, 400)
    read = readUsageStream(parrot.ask(question), {
      model: MODEL,
      requestText: question,
      countTokens: (text) => wordsOf(text).length,
    })
    return new Response(read.stream, { headers: { 'content-type': 'text/event-stream' } })
  })
  // What the customer has left, used and owes, by the same API key.
  app.route('/billing', billing({ farebox, ...(adminKey === undefined ? {} : { adminKey }) }))
  return app
}

const NOTHING = { usage: { model: MODEL, inputTokens: 0, outputTokens: 0 }, incomplete: true }

/** Held until the answer is there: whoever has less than the dearest answer costs is not let in. What is left of it comes back. */
function estimate(): ModelUsage {
  return { model: MODEL, inputTokens: MOST_WORDS, outputTokens: MOST_WORDS }
}
