/** The billing routes on a real port for the length of one test, with an engine whose clock can be moved. */

import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'
import { type BillingOptions, type BillingRouter, billing, nodeListener } from '../../src/billing/index.ts'
import { createFarebox, type Farebox, type FareboxOptions, testClock, type TestClock } from '../../src/index.ts'
import { sqlite } from '../../src/sqlite/store.ts'
import { catalog } from '../catalog.ts'

export const ADMIN = 'an-admin-key-of-more-than-32-characters'
export const START = Date.UTC(2026, 0, 1)

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  // What a route answers is looked at member by member.
  readonly json: Record<string, unknown>
}

export interface Running {
  readonly farebox: Farebox
  readonly clock: TestClock
  readonly router: BillingRouter
  readonly url: string
  readonly errors: unknown[]
  /** Sends `METHOD /path` with any headers; a body that is no text is sent as JSON. */
  send(request: string, headers?: Record<string, string>, body?: unknown): Promise<Answer>
  /** As the operator. */
  admin(request: string, body?: unknown): Promise<Answer>
  /** As a customer, who is given an API key when first seen. */
  as(customer: string, request: string, headers?: Record<string, string>, body?: unknown): Promise<Answer>
}

export async function start(options: BillingOptions = {}, engine: Partial<FareboxOptions> = {}): Promise<Running> {
  const clock = testClock(START)
  const errors: unknown[] = []
  const store = sqlite({ path: ':memory:' })
  const farebox = createFarebox({ catalog, store, clock, onError: (error) => errors.push(error), ...engine })
  const router = billing({ farebox, adminKey: ADMIN, ...options })
  const server = http.createServer(nodeListener(router))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    server.closeAllConnections()
    server.close()
    await farebox.stop({ withinMs: 0 })
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const keys = new Map<string, Promise<{ key: string }>>()

  async function send(request: string, headers: Record<string, string> = {}, body?: unknown): Promise<Answer> {
    const [method = 'GET', path = '/'] = request.split(' ')
    const isText = body === undefined || typeof body === 'string' || body instanceof Uint8Array
    const response = await fetch(url + path, {
      method,
      headers: { ...(isText ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: isText ? (body as string) : JSON.stringify(body) }),
    })
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.includes('json') === true
    return { status: response.status, headers: response.headers, text, json: isJson ? (JSON.parse(text) as Answer['json']) : {} }
  }

  return {
    farebox,
    clock,
    router,
    url,
    errors,
    send,
    admin: (request, body) => send(request, { authorization: `Bearer ${ADMIN}` }, body),
    async as(customer, request, headers = {}, body) {
      let made = keys.get(customer)
      if (made === undefined) keys.set(customer, (made = farebox.apiKeys.create({ customerId: customer })))
      return send(request, { 'x-api-key': (await made).key, ...headers }, body)
    },
  }
}
