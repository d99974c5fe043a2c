/** The streamed answer of an AI model, sold on a prepaid balance over real adapters: whoever leaves pays for what was delivered. */

import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { modelPrices, readUsageStream, type UsageStream } from '@farebox/ai'
import { createFarebox, defineCatalog, type Farebox, formatQuantity, testClock, type UsageEvent } from '@farebox/core'
import { sqlite } from '@farebox/core/sqlite'
import { meter as expressMeter, type MeterContext } from '@farebox/express'
import { meter as fastifyMeter } from '@farebox/fastify'
import { meter as honoMeter } from '@farebox/hono'
import { createAdaptorServer } from '@hono/node-server'
import express from 'express'
import Fastify from 'fastify'
import { Hono } from 'hono'
import { describe, expect, onTestFinished, test } from 'vitest'

const catalog = defineCatalog({
  currency: 'USD',
  features: { answers: { type: 'metered', name: 'Answers' } },
  plans: {
    prepaid: {
      name: 'Prepaid',
      price: '1.00',
      interval: 'month',
      consumption: 'balance',
      blockOnExhaustion: true,
      features: { answers: { price: { model: 'ai_model', margin: '20' } } },
    },
  },
})

/** Ten words: ten tokens as they are counted here. */
const PROMPT = 'please say hello to everybody who is here with us'
const countTokens = (text: string): number => text.split(/\s+/).filter((word) => word !== '').length

/** What the provider says of the whole answer. */
const COUNTED = { prompt_tokens: 12, completion_tokens: 5 }

/** A provider on a real port. It sends three words, waits until it is let go on, and sends the rest with its counts. */
interface Provider {
  readonly url: string
  /** Makes it wait before it says anything. */
  holdAll(): void
  /** Lets it send the rest. */
  goOn(): void
  /** How often it was asked. */
  readonly asked: () => number
  /** How many of its answers were broken off by whoever asked. */
  readonly brokenOff: () => number
}

async function startProvider(): Promise<Provider> {
  const gate = Promise.withResolvers<void>()
  let [asked, brokenOff, isHeld] = [0, 0, false]
  const event = (value: object): string =>
    `data: ${JSON.stringify({ object: 'chat.completion.chunk', model: 'gpt-4o', ...value })}\n\n`
  const word = (content: string): string => event({ choices: [{ index: 0, delta: { content }, finish_reason: null }] })
  const { port } = await listen(
    http.createServer((_req, res) => {
      res.once('close', () => void (brokenOff += res.writableEnded ? 0 : 1))
      asked += 1
      if (isHeld) return void gate.promise.then(() => res.end())
      res.writeHead(200, { 'content-type': 'text/event-stream' })
      for (const text of ['Hello', ' there', ' everybody']) res.write(word(text))
      void gate.promise.then(() => {
        res.write(word(' and welcome'))
        res.write(event({ choices: [], usage: COUNTED }))
        res.end('data: [DONE]\n\n')
      })
    }),
  )
  const url = `http://127.0.0.1:${port}`
  return { url, holdAll: () => void (isHeld = true), goOn: () => gate.resolve(), asked: () => asked, brokenOff: () => brokenOff }
}

/** Asks the model, followed from the first moment on: what was sent to it counts even when nothing comes back. */
async function ask(provider: Provider, meter: MeterContext | null | undefined): Promise<ReadableStream<Uint8Array>> {
  let read: UsageStream<ReadableStream<Uint8Array>> | null = null
  const sent = { usage: { model: 'gpt-4o', inputTokens: countTokens(PROMPT), outputTokens: 0 }, incomplete: true }
  meter?.followModelUsage(() => read?.soFar() ?? sent)
  const { body } = await fetch(provider.url)
  if (body === null) throw new Error('the provider gave no answer')
  read = readUsageStream(body, { model: 'gpt-4o', requestText: PROMPT, countTokens })
  return read.stream
}

type Listening = { readonly port: number }

async function listen(server: http.Server): Promise<Listening> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return server.address() as AddressInfo
}

type Host = (farebox: Farebox, provider: Provider) => Promise<Listening>

const onExpress: Host = (farebox, provider) => {
  const app = express()
  // oxlint-disable-next-line oxc/no-async-endpoint-handlers -- Express 5 takes care of what such a handler rejects with
  app.get('/answer', expressMeter('answers', { farebox, identify: (req) => req.get('x-user') }), async (req, res) => {
    const stream = await ask(provider, req.meter)
    res.type('text/event-stream')
    // A client that leaves breaks it off, and with it the answer of the provider.
    await pipeline(Readable.fromWeb(stream as never), res).catch(() => {})
  })
  return listen(http.createServer(app))
}

const onHono: Host = (farebox, provider) => {
  const app = new Hono()
  app.get('/answer', honoMeter('answers', { farebox, identify: (c) => c.req.header('x-user') }), async (c) => {
    return new Response(await ask(provider, c.get('meter')), { headers: { 'content-type': 'text/event-stream' } })
  })
  return listen(createAdaptorServer({ fetch: app.fetch, overrideGlobalObjects: false }) as http.Server)
}

const onFastify: Host = async (farebox, provider) => {
  const app = Fastify()
  await app.register(fastifyMeter, { farebox, identify: (request) => request.headers['x-user'] as string | undefined })
  app.get('/answer', { config: { meter: 'answers' } }, async (request, reply) => {
    const stream = await ask(provider, request.meter)
    return reply.type('text/event-stream').send(Readable.fromWeb(stream as never))
  })
  await app.ready()
  return listen(app.server)
}

const HOSTS = [
  ['Express', onExpress],
  ['Hono', onHono],
  ['Fastify', onFastify],
] as const

async function begin(host: Host) {
  const clock = testClock(Date.UTC(2026, 0, 15))
  const farebox = createFarebox({ catalog, store: sqlite({ path: ':memory:' }), clock, models: modelPrices() })
  onTestFinished(() => farebox.stop({ withinMs: 1_000 }))
  await farebox.subscriptions.create({ customerId: 'ada', plan: 'prepaid' })
  const provider = await startProvider()
  const { port } = await host(farebox, provider)
  const call = (): http.ClientRequest =>
    http.get({ port, host: '127.0.0.1', path: '/answer', headers: { 'x-user': 'ada' } }).on('error', () => {})
  return { farebox, provider, call }
}

/** Reads an answer until a text was there, and leaves. */
async function leaveAfter(request: http.ClientRequest, text: string): Promise<void> {
  let read = ''
  await new Promise<void>((resolve) => {
    request.on('response', (response) => {
      response.on('error', () => {})
      response.on('data', (chunk: Buffer) => {
        read += String(chunk)
        if (read.includes(text)) resolve()
      })
    })
  })
  request.destroy()
}

async function wholeOf(request: http.ClientRequest): Promise<string> {
  const response = await new Promise<http.IncomingMessage>((resolve) => request.on('response', resolve))
  let text = ''
  for await (const chunk of response) text += String(chunk)
  return text
}

async function firstEvent(farebox: Farebox): Promise<UsageEvent> {
  for (let waited = 0; waited < 200; waited += 1) {
    await farebox.flush()
    const [event] = (await farebox.events.list()).items
    if (event !== undefined) return event
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error('nothing was billed')
}

/** Tokens of a charge by class. */
const tokensOf = ({ charge }: UsageEvent): string[] =>
  (charge?.model?.classes ?? []).map(({ name, tokens }) => `${name} ${tokens}`)

describe.each(HOSTS)('on %s', (_name, host) => {
  test('an answer that is read to its end costs what the provider counted', async () => {
    const { farebox, provider, call } = await begin(host)
    const request = call()
    provider.goOn()
    expect(await wholeOf(request)).toContain(' and welcome')
    const event = await firstEvent(farebox)
    expect(tokensOf(event)).toEqual(['input 12', 'output 5'])
    expect(event.charge?.model?.isIncomplete).toBe(false)
    // 12 at 2.50 and 5 at 10.00 dollars a million, and a fifth on top.
    expect(event.charge?.cost).toEqual({ coefficient: 96n, scale: 6 })
    expect([provider.brokenOff(), event.route]).toEqual([0, '/answer'])
  })

  test('a client that leaves in the middle pays for what was delivered, exactly, and the provider is not asked for more', async () => {
    const { farebox, provider, call } = await begin(host)
    await leaveAfter(call(), ' everybody')
    const event = await firstEvent(farebox)
    // Ten words were sent and three came; the provider never said more.
    expect(tokensOf(event)).toEqual(['input 10', 'output 3'])
    expect(event.charge?.model?.isIncomplete).toBe(true)
    expect(event.charge?.cost).toEqual({ coefficient: 66n, scale: 6 })
    expect(formatQuantity(event.quantity)).toBe('1')
    for (let waited = 0; waited < 200 && provider.brokenOff() === 0; waited += 1)
      await new Promise((resolve) => setTimeout(resolve, 10))
    expect(provider.brokenOff()).toBe(1)
    const [usage] = await farebox.usage.totals({ customerId: 'ada' })
    expect([usage?.unit, usage?.reserved, formatQuantity(usage?.remaining ?? 0n)]).toEqual(['USD', 0n, '0.999934'])
    expect((await farebox.usage.unpriced()).items).toEqual([])
    expect((await farebox.verify()).ok).toBe(true)
  })
  test('a client that leaves before the model says anything pays for what the model was sent', async () => {
    const { farebox, provider, call } = await begin(host)
    provider.holdAll()
    const request = call()
    for (let waited = 0; waited < 200 && provider.asked() === 0; waited += 1)
      await new Promise((resolve) => setTimeout(resolve, 10))
    request.destroy()
    const event = await firstEvent(farebox)
    provider.goOn()
    expect(tokensOf(event)).toEqual(['input 10'])
    expect([event.charge?.cost, event.charge?.model?.isIncomplete]).toEqual([{ coefficient: 3n, scale: 5 }, true])
    expect((await farebox.usage.unpriced()).items).toEqual([])
  })
})
