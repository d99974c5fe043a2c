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

/** A handler of Next.js, Remix, SvelteKit, Astro, Bun and others: what follows the request is passed on as it came. */
export type FetchHandler<Rest extends readonly unknown[]> = (request: Request, ...rest: Rest) => Response | Promise<Response>

const METERS = new WeakMap<object, MeterContext>()
const VISITED = new WeakSet<object>()

/**
 * Meters a handler: a request beyond the allowance is answered 402 and the handler does not run. Streams are settled when
 * their last byte was taken, or when the client went away. Throws a `FareboxError` when it is called: `no_farebox`,
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
      path: pathOf(request.url),
      route: route ?? null,
      header: (name) => request.headers.get(name) ?? undefined,
      raw: request,
    }
    return enterFetch(gate, metered, async () => handler(request, ...rest), request.signal)
  }
}

/** The metering of a request that `meterFetch()` admitted, for its handler; undefined where nothing meters it. */
export function meterOf(request: Request): MeterContext | undefined {
  return METERS.get(request)
}

/**
 * Asks the gate, once for each `request.raw`, and runs what follows. `signal` tells of a client that went away before the
 * body began. Rejects as `gate.admit` does, and with what `run` throws, which is settled as a 500.
 */
export async function enterFetch<Raw extends object>(
  gate: Gate<Raw>,
  request: MeteredRequest<Raw>,
  run: (meter: MeterContext | undefined) => Promise<Response>,
  signal?: AbortSignal,
): Promise<Response> {
  const { raw } = request
  if (VISITED.has(raw)) return run(METERS.get(raw))
  VISITED.add(raw)
  const verdict = await gate.admit(request)
  if (verdict.kind === 'refused') return responseOf(verdict.reply, request.method)
  if (verdict.kind === 'unmetered') return run(undefined)

  const { ticket, headers } = verdict
  const settle = (outcome: Outcome): void => void gate.settle(ticket, outcome, raw)
  if (signal?.aborted === true) {
    settle({ kind: 'not_started' })
    return new Response(null, { status: 499 })
  }
  METERS.set(raw, ticket.meter)
  let response: Response
  try {
    response = await run(ticket.meter)
  } catch (error) {
    settle({ kind: 'finished', status: 500 })
    throw error
  }
  return settledAtEnd(response, headers, settle, signal)
}

/** A refusal as a `Response`; one to HEAD has no body. */
export function responseOf({ status, headers, body }: Reply, method: string): Response {
  const copy = new Headers()
  for (const [name, value] of headers) copy.append(name, value)
  return new Response(method === 'HEAD' ? null : body, { status, headers: copy })
}

/** The same answer with the headers, whose end settles. Nothing is buffered: a chunk is read when the client wants one. */
function settledAtEnd(
  response: Response,
  headers: HeaderList,
  settle: (outcome: Outcome) => void,
  signal: AbortSignal | undefined,
): Response {
  const { status, statusText, body } = response
  const finished: Outcome = { kind: 'finished', status }
  const aborted: Outcome = { kind: 'aborted', status }
  // A copy, because the headers of a redirect or of an answer that was fetched cannot be changed.
  const copy = new Headers(response.headers)
  for (const [name, value] of headers) copy.set(name, value)
  if (body === null) {
    settle(finished)
    return new Response(null, { status, statusText, headers: copy })
  }
  // A gate settles once: what comes first counts. An abort after the end is how some runtimes tell of the end.
  signal?.addEventListener('abort', () => settle(aborted), { once: true })
  const reader = body.getReader()
  const watched = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read()
          if (!done) return controller.enqueue(value)
          controller.close()
          settle(finished)
        } catch (error) {
          controller.error(error)
          settle(aborted)
        }
      },
      cancel(reason) {
        settle(aborted)
        return reader.cancel(reason)
      },
    },
    { highWaterMark: 0 },
  )
  return new Response(watched, { status, statusText, headers: copy })
}

function pathOf(url: string): string {
  return URL.parse(url)?.pathname ?? url
}
