/** A request's visit to a gate where a handler turns a `Request` into a `Response`: admitted once, settled when the body has gone out. */

import type { FeatureCode } from '../catalog/catalog.ts'
import { defaultFarebox } from '../default-farebox.ts'
import type { Farebox } from '../farebox.ts'
import type { Gate, HeaderList, MeterContext, MeteredRequest, MeterOptions, Outcome, Reply } from './contract.ts'

/** The options of `meterFetch()`. */
export interface FetchMeterOptions extends MeterOptions<Request> {
  /** The metered feature. Default: the catalog's default feature. */
  feature?: FeatureCode
  /** The framework's own pattern of the route, such as `/api/users/[id]`, for the event log. Default: none. */
  route?: string
  /** The Farebox that meters. Default: the one of the process; with none or several of them `meterFetch()` throws `no_farebox`. */
  farebox?: Pick<Farebox, 'createGate'>
}

/** A handler of Next.js, Bun and others, or a function called with an event's request: what follows it is passed on as it came. */
export type FetchHandler<Rest extends readonly unknown[]> = (request: Request, ...rest: Rest) => Response | Promise<Response>

// Of the registry, so that the ESM and the CommonJS copy of this package in one process act as one.
const VISIT: unique symbol = Symbol.for('farebox.visit')

/** A request once it has visited a gate. */
type Visited = { [VISIT]?: { meter: MeterContext | undefined } }

/**
 * Meters a handler: a request beyond the allowance is answered 402 and the handler does not run. Streams are settled when
 * their last chunk was taken, or when the client went away. Throws a `FareboxError` when it is called: `no_farebox`,
 * `no_default_feature`, `unknown_feature`, `invalid_option`.
 *
 * @example export const GET = meterFetch(handler, { route: '/api/users/[id]' })
 */
export function meterFetch<Rest extends readonly unknown[]>(
  handler: FetchHandler<Rest>,
  { feature, route, farebox = defaultFarebox(), ...options }: FetchMeterOptions = {},
): (request: Request, ...rest: Rest) => Promise<Response> {
  const gate = farebox.createGate<Request>(feature, options)
  return (request, ...rest) => {
    const metered: MeteredRequest<Request> = {
      method: request.method,
      route: route ?? null,
      header: (name) => request.headers.get(name) ?? undefined,
      raw: request,
    }
    return enterFetch(gate, metered, async () => handler(request, ...rest), request.signal)
  }
}

/** The metering of a request that `meterFetch()` admitted, for its handler; undefined where nothing meters it. */
export function meterOf(request: Request & Visited): MeterContext | undefined {
  return request[VISIT]?.meter
}

/**
 * Asks the gate, once for each `request.raw`, however many gates it passes, and runs what follows. `signal` tells of a client
 * that went away before the body began. Rejects as `gate.admit` does, and with what `run` throws, which is settled as a 500.
 */
export async function enterFetch<Raw extends object>(
  gate: Gate<Raw>,
  request: MeteredRequest<Raw>,
  run: (meter: MeterContext | undefined) => Promise<Response>,
  signal?: AbortSignal,
): Promise<Response> {
  const { method } = request
  const raw: Raw & Visited = request.raw
  if (raw[VISIT] !== undefined) return run(raw[VISIT].meter)
  const visit: NonNullable<Visited[typeof VISIT]> = { meter: undefined }
  raw[VISIT] = visit
  const verdict = await gate.admit(request)
  if (verdict.kind === 'refused') return responseOf(verdict.reply, method)
  if (verdict.kind === 'unmetered') return run(undefined)

  const { ticket, headers } = verdict
  let isSettled = false
  // What comes first counts. An abort after the end is how some runtimes tell of the end.
  function settle(outcome: Outcome): void {
    if (!isSettled) gate.settle(ticket, outcome, raw)
    isSettled = true
  }
  if (signal?.aborted === true) {
    settle({ kind: 'not_started' })
    return new Response(null, { status: 499 })
  }
  visit.meter = ticket.meter
  let status: number | null = null
  signal?.addEventListener('abort', () => settle({ kind: 'aborted', status }), { once: true })
  try {
    const response = await run(ticket.meter)
    status = response.status
    return settledAtEnd({ response, headers, settle, isBodySent: method !== 'HEAD' })
  } catch (error) {
    settle({ kind: 'finished', status: 500 })
    throw error
  }
}

/** A refusal as a `Response`; one to HEAD has no body. */
export function responseOf({ status, headers, body }: Reply, method: string): Response {
  const copy = new Headers()
  for (const [name, value] of headers) copy.append(name, value)
  return new Response(method === 'HEAD' ? null : body, { status, headers: copy })
}

interface SettledAtEndInput {
  readonly response: Response
  readonly headers: HeaderList
  readonly settle: (outcome: Outcome) => void
  /** A runtime drops the body of an answer to HEAD without reading or cancelling it. */
  readonly isBodySent: boolean
}

/** The same answer with the headers, whose end settles. Nothing is buffered beyond `READ_AHEAD`. */
function settledAtEnd({ response, headers, settle, isBodySent }: SettledAtEndInput): Response {
  const { status, statusText, body } = response
  const isTaken = response.bodyUsed || body?.locked === true
  const isWatched = isBodySent && body !== null && !isTaken
  if (!isWatched) settle({ kind: 'finished', status })
  // An upgrade (101), `Response.error()` and a body that somebody has read already cannot be copied, and go out as they are.
  if (status < 200 || isTaken) return response
  // A copy, because the headers of a redirect or of an answer that was fetched cannot be changed.
  const copy = new Headers(response.headers)
  for (const [name, value] of headers) copy.set(name, value)
  if (body !== null && !isWatched) body.cancel().catch(() => {})
  return new Response(isWatched ? watched(body, status, settle) : null, { status, statusText, headers: copy })
}

/** Chunks. A whole answer is one and its end, so that it is settled though nobody reads it, as in an application's own tests. */
const READ_AHEAD = 2

// Middleware may put another answer in the place of this one, such as a 304, and drop its body without a word.
const dropped =
  typeof FinalizationRegistry === 'function' ? new FinalizationRegistry((settle: () => void) => settle()) : undefined

function watched(
  body: ReadableStream<Uint8Array>,
  status: number,
  settle: (outcome: Outcome) => void,
): ReadableStream<Uint8Array> {
  const reader = body.getReader()
  const finish = (): void => settle({ kind: 'finished', status })
  const stream = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read()
          if (!done) return controller.enqueue(value)
          controller.close()
          finish()
        } catch (error) {
          settle({ kind: 'aborted', status })
          controller.error(error)
        }
      },
      cancel(reason) {
        settle({ kind: 'aborted', status })
        return reader.cancel(reason)
      },
    },
    { highWaterMark: READ_AHEAD },
  )
  dropped?.register(stream, finish)
  return stream
}
