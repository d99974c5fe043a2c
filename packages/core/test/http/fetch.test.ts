/** Request to Response: what `meterFetch()` admits, lets through, and settles when the body has gone out. */

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createFarebox, type Farebox } from '../../src/farebox.ts'
import type { Gate, MeteredRequest, MeterOptions, Outcome } from '../../src/http/contract.ts'
import { enterFetch, type FetchHandler, type FetchMeterOptions, meterFetch, meterOf } from '../../src/http/fetch.ts'
import { sqlite } from '../../src/sqlite/store.ts'
import { formatQuantity } from '../../src/values/quantity.ts'
import { catalog } from '../catalog.ts'

const URL_OF_API = 'https://api.example.test/users/7?token=secret'

/** A Farebox whose gates also write down how they were told that requests ended. */
function observed() {
  const farebox = createFarebox({ catalog, store: sqlite({ path: ':memory:' }) })
  onTestFinished(() => farebox.stop())
  const outcomes: Outcome[] = []
  const requests: MeteredRequest<Request>[] = []
  function createGate<Raw>(feature: string | undefined, options?: MeterOptions<Raw>): Gate<Raw> {
    const gate = farebox.createGate(feature, options)
    return {
      admit(request) {
        requests.push(request as MeteredRequest<Request>)
        return gate.admit(request)
      },
      settle(ticket, outcome, raw) {
        outcomes.push(outcome)
        return gate.settle(ticket, outcome, raw)
      },
    }
  }
  const identify = (request: Request): string | null => request.headers.get('x-customer')
  function metered<Rest extends readonly unknown[]>(handler: FetchHandler<Rest>, options: FetchMeterOptions = {}) {
    return meterFetch(handler, { farebox: { createGate }, identify, ...options })
  }
  return { farebox, outcomes, requests, metered, createGate }
}

function newRequest(init: RequestInit = {}): Request {
  return new Request(URL_OF_API, { ...init, headers: { 'x-customer': 'ada' } })
}

async function billed(farebox: Farebox): Promise<string[]> {
  await farebox.flush()
  const { items } = await farebox.events.list()
  return items.map(({ feature, quantity, route }) => `${feature} ${formatQuantity(quantity)} ${route}`)
}

/** A body whose chunks come when they are asked for, and which remembers how it was ended. */
function streamOf(chunks: readonly string[], end: 'close' | 'stay' | 'fail' = 'close') {
  const seen = { pulled: 0, cancelled: undefined as unknown }
  const stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const chunk = chunks[seen.pulled++]
        if (chunk !== undefined) controller.enqueue(new TextEncoder().encode(chunk))
        else if (end === 'close') controller.close()
        else if (end === 'fail') controller.error(new Error('the source broke'))
      },
      cancel(reason) {
        seen.cancelled = reason
      },
    },
    { highWaterMark: 0 },
  )
  return { stream, seen }
}

function readerOf(response: Response): ReadableStreamDefaultReader<Uint8Array> {
  if (response.body === null) throw new Error('the answer has no body')
  return response.body.getReader()
}

describe('a metered handler', () => {
  test('is served up to the limit with what is left in the headers, and then refused without being run', async () => {
    const { farebox, requests, metered } = observed()
    let runs = 0
    const GET = metered(() => Response.json({ run: ++runs }, { status: 201, statusText: 'Made' }), { route: '/users/[id]' })

    for (let left = 9; left >= 0; left--) {
      const response = await GET(newRequest())
      expect([response.status, response.statusText]).toEqual([201, 'Made'])
      expect(response.headers.get('ratelimit')).toContain(`"api_calls";r=${left}`)
      expect(response.headers.get('content-type')).toBe('application/json')
      expect(await response.json()).toEqual({ run: 10 - left })
    }
    const refused = await GET(newRequest())
    expect([refused.status, refused.headers.get('content-type')]).toEqual([402, 'application/problem+json'])
    expect(await refused.json()).toMatchObject({ code: 'allowance_exhausted', feature: 'api_calls' })
    expect(runs).toBe(10)
    expect(await billed(farebox)).toEqual(Array(10).fill('api_calls 1 /users/[id]'))
    expect(requests[0]).toMatchObject({ method: 'GET', route: '/users/[id]' })
  })

  test('gets what its framework passes after the request, and sees its own metering', async () => {
    const { farebox, metered } = observed()
    const GET = metered(
      (own, { params }: { params: { id: string } }) => {
        meterOf(own)?.add('0.25')
        return new Response(`${params.id} ${meterOf(own)?.customerId} ${meterOf(own)?.remaining}`)
      },
      { feature: 'downloads' },
    )

    const response = await GET(newRequest(), { params: { id: '7' } })
    expect(await response.text()).toBe('7 ada 0')
    expect(await billed(farebox)).toEqual(['downloads 0.25 null'])
    expect(meterOf(newRequest())).toBeUndefined()
  })

  test('is not metered for an anonymous request that may pass, and refused one that may not', async () => {
    const { metered, outcomes } = observed()
    const anonymous = () => new Request(URL_OF_API)
    const handler: FetchHandler<[]> = (own) => new Response(String(meterOf(own)))

    const served = await metered(handler, { anonymous: 'skip' })(anonymous())
    expect([await served.text(), served.headers.get('ratelimit')]).toEqual(['undefined', null])
    expect((await metered(handler)(anonymous())).status).toBe(401)
    expect(outcomes).toEqual([])
  })

  test('is counted once within another one, by the outer', async () => {
    const { farebox, outcomes, metered } = observed()
    const inner = metered((own) => new Response(meterOf(own)?.feature), { feature: 'downloads' })
    const outer = metered((own) => inner(own))

    expect(await (await outer(newRequest())).text()).toBe('api_calls')
    expect(await billed(farebox)).toEqual(['api_calls 1 null'])
    expect(outcomes).toHaveLength(1)
  })

  test('is counted for each of the requests that run at once', async () => {
    const { farebox, metered } = observed()
    const GET = metered(async (own) => {
      await new Promise((resolve) => setTimeout(resolve, 5))
      return new Response(meterOf(own)?.remaining ?? '')
    })

    const answers = await Promise.all(Array.from({ length: 14 }, () => GET(newRequest())))
    expect(answers.map(({ status }) => status).toSorted()).toEqual([...Array(10).fill(200), ...Array(4).fill(402)])
    const left = await Promise.all(answers.filter(({ ok }) => ok).map((answer) => answer.text()))
    expect(left.map(Number).toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(await billed(farebox)).toHaveLength(10)
  })

  test('keeps the answer of a preflight as it is', async () => {
    const { metered, outcomes } = observed()
    const response = await metered(() => new Response(null, { status: 204 }))(newRequest({ method: 'OPTIONS' }))
    expect([response.status, response.headers.get('ratelimit')]).toEqual([204, null])
    expect(outcomes).toEqual([])
  })
})

describe('the end of an answer', () => {
  test('a stream is passed on as it comes, two chunks ahead of its reader, and settled at its end', async () => {
    const { outcomes, metered } = observed()
    const { stream, seen } = streamOf(['1', '2', '3', '4'])
    const response = await metered(() => new Response(stream, { headers: { 'content-type': 'text/event-stream' } }))(newRequest())

    expect(response.headers.get('content-type')).toBe('text/event-stream')
    const reader = readerOf(response)
    for (const chunk of ['1', '2', '3', '4']) {
      expect(outcomes).toEqual([])
      expect(new TextDecoder().decode((await reader.read()).value)).toBe(chunk)
      expect(seen.pulled).toBeLessThanOrEqual(Number(chunk) + 2)
    }
    expect((await reader.read()).done).toBe(true)
    expect(outcomes).toEqual([{ kind: 'finished', status: 200 }])
  })

  test('a chunk goes out before the next one is there', async () => {
    const { outcomes, metered } = observed()
    let source: ReadableStreamDefaultController<Uint8Array> | undefined
    const stream = new ReadableStream<Uint8Array>({ start: (controller) => void (source = controller) })
    const reader = readerOf(await metered(() => new Response(stream))(newRequest()))

    source?.enqueue(new Uint8Array([1]))
    expect((await reader.read()).value).toEqual(new Uint8Array([1]))
    expect(outcomes).toEqual([])
    source?.close()
    expect((await reader.read()).done).toBe(true)
    expect(outcomes).toEqual([{ kind: 'finished', status: 200 }])
  })

  test('an answer that is whole is settled though nobody reads it', async () => {
    const { farebox, metered } = observed()
    expect((await metered(() => Response.json({ whole: true }))(newRequest())).status).toBe(200)
    await new Promise((resolve) => setImmediate(resolve))
    expect(await billed(farebox)).toEqual(['api_calls 1 null'])
  })

  test('a client that cancels ends the source too, and what was added so far is billed', async () => {
    const { farebox, outcomes, metered } = observed()
    const { stream, seen } = streamOf(['first'], 'stay')
    const GET = metered(
      (own) => {
        meterOf(own)?.add('0.5')
        return new Response(stream)
      },
      { feature: 'downloads' },
    )

    const reader = readerOf(await GET(newRequest()))
    await reader.read()
    await reader.cancel('closed the page')
    expect(seen.cancelled).toBe('closed the page')
    expect(outcomes).toEqual([{ kind: 'aborted', status: 200 }])
    expect(await billed(farebox)).toEqual(['downloads 0.5 null'])
  })

  test('a source that breaks breaks the answer, and is settled as cut off', async () => {
    const { outcomes, metered } = observed()
    const response = await metered(() => new Response(streamOf(['first'], 'fail').stream, { status: 206 }))(newRequest())

    await expect(response.text()).rejects.toThrow('the source broke')
    expect(outcomes).toEqual([{ kind: 'aborted', status: 206 }])
  })

  test.each([204, 304])('an answer without a body is settled at once (%s)', async (status) => {
    const { outcomes, metered } = observed()
    const response = await metered(() => new Response(null, { status }))(newRequest())
    expect([response.status, response.body]).toEqual([status, null])
    expect(outcomes).toEqual([{ kind: 'finished', status }])
  })

  test('the headers of a redirect cannot be changed, and are there with the allowance beside them', async () => {
    const { outcomes, metered } = observed()
    const response = await metered(() => Response.redirect('https://example.test/next', 307))(newRequest())
    expect([response.status, response.headers.get('location')]).toEqual([307, 'https://example.test/next'])
    expect(response.headers.get('ratelimit')).toContain('"api_calls";r=9')
    expect(outcomes).toEqual([{ kind: 'finished', status: 307 }])
  })

  test('each cookie stays a header of its own', async () => {
    const { metered } = observed()
    const headers = new Headers([
      ['set-cookie', 'a=1'],
      ['set-cookie', 'b=2; Expires=Wed, 01 Jan 2031 00:00:00 GMT'],
    ])
    const response = await metered(() => new Response('ok', { headers }))(newRequest())
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2; Expires=Wed, 01 Jan 2031 00:00:00 GMT'])
  })

  test('an answer that cannot be copied goes out as it is', async () => {
    const { outcomes, metered } = observed()
    const network = Response.error()
    expect(await metered(() => network)(newRequest())).toBe(network)
    const [read, taken] = [new Response('read'), new Response('taken')]
    await read.text()
    const reader = readerOf(taken)
    expect(await metered(() => read)(newRequest())).toBe(read)
    expect(await metered(() => taken)(newRequest())).toBe(taken)
    await reader.cancel()
    expect(outcomes.map(({ kind }) => kind)).toEqual(['finished', 'finished', 'finished'])
  })

  test('HEAD counts like GET: settled without a reader, and the source is told that nobody will come', async () => {
    const { farebox, outcomes, metered } = observed()
    const { stream, seen } = streamOf(['never read'])
    const HEAD = metered(() => new Response(stream, { headers: { 'content-length': '10' } }), { units: 10 })

    const response = await HEAD(newRequest({ method: 'HEAD' }))
    expect([response.body, response.headers.get('content-length')]).toEqual([null, '10'])
    expect(outcomes).toEqual([{ kind: 'finished', status: 200 }])
    expect([seen.pulled, 'cancelled' in seen]).toEqual([0, true])
    expect(await billed(farebox)).toEqual(['api_calls 10 null'])

    const refused = await HEAD(newRequest({ method: 'HEAD' }))
    expect([refused.status, refused.body, refused.headers.get('content-type')]).toEqual([402, null, 'application/problem+json'])
  })

  test.each([
    [
      'throws',
      () => {
        throw new Error('thrown')
      },
    ],
    ['rejects', () => Promise.reject(new Error('thrown'))],
  ] as const)("a handler that %s is the framework's to answer, and is not billed", async (_how, handler) => {
    const { farebox, outcomes, metered } = observed()
    await expect(metered(handler)(newRequest())).rejects.toThrow('thrown')
    expect(outcomes).toEqual([{ kind: 'finished', status: 500 }])
    expect(await billed(farebox)).toEqual([])
  })

  test('a handler that forgets to answer leaves nothing reserved', async () => {
    const { farebox, metered } = observed()
    const GET = metered(() => undefined as never)
    await expect(GET(newRequest())).rejects.toThrow(TypeError)
    await farebox.flush()
    expect(await farebox.usage.totals({ customerId: 'ada' })).toMatchObject([{ posted: 0n, reserved: 0n }, {}])
  })

  test('a body that is dropped without a word is settled when it is collected', async () => {
    const { outcomes, metered } = observed()
    await metered(() => new Response(streamOf(['never', 'to', 'be', 'read']).stream))(newRequest())
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    while (outcomes.length === 0) {
      collect()
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(outcomes).toEqual([{ kind: 'finished', status: 200 }])
  })
})

describe('a client that goes away', () => {
  function leaving() {
    const client = new AbortController()
    return { leave: () => client.abort(), leavingRequest: () => newRequest({ signal: client.signal }) }
  }

  test('before the handler started is not worked for', async () => {
    const { outcomes, metered } = observed()
    const { leave, leavingRequest } = leaving()
    let hasRun = false
    const GET = metered(
      () => {
        hasRun = true
        return new Response('too late')
      },
      { skip: () => (leave(), false) },
    )

    const response = await GET(leavingRequest())
    expect([hasRun, response.body]).toEqual([false, null])
    expect(outcomes).toEqual([{ kind: 'not_started' }])
  })

  test('while the handler works is settled at once, and once', async () => {
    const { outcomes, metered } = observed()
    const { leave, leavingRequest } = leaving()
    const GET = metered(() => {
      leave()
      expect(outcomes).toEqual([{ kind: 'aborted', status: null }])
      return new Response('too late')
    })

    await (await GET(leavingRequest())).text()
    expect(outcomes[0]).toEqual({ kind: 'aborted', status: null })
  })

  test('in the middle of a stream is settled as aborted, though the runtime leaves the body', async () => {
    const { farebox, outcomes, metered } = observed()
    const { leave, leavingRequest } = leaving()
    const response = await metered(() => new Response(streamOf(['first'], 'stay').stream), { onAbort: 'void' })(leavingRequest())

    await readerOf(response).read()
    leave()
    expect(outcomes).toEqual([{ kind: 'aborted', status: 200 }])
    expect(await billed(farebox)).toEqual([])
  })

  test('after the end changes nothing: some runtimes tell of every end so', async () => {
    const { farebox, metered } = observed()
    const { leave, leavingRequest } = leaving()
    await (await metered(() => new Response('whole'), { onAbort: 'void' })(leavingRequest())).text()
    leave()
    expect(await billed(farebox)).toEqual(['api_calls 1 null'])
  })
})

test('enterFetch asks the gate once for whatever stands for the request', async () => {
  const { createGate, outcomes } = observed()
  const context = { customer: 'ada' }
  const gate = createGate<typeof context>('api_calls', { identify: ({ customer }) => customer })
  const metered: MeteredRequest<typeof context> = { method: 'GET', route: '/', header: () => undefined, raw: context }

  const response = await enterFetch(gate, metered, async (outer) =>
    enterFetch(gate, metered, async (inner) => new Response(String(inner !== undefined && inner === outer))),
  )
  expect(await response.text()).toBe('true')
  expect(outcomes).toHaveLength(1)
})
