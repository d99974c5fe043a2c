/** A request's visit to a gate, for every framework on Node's own http: admitted once, settled when its response closes. */

import type { Gate, HeaderList, MeterContext, MeteredRequest, Outcome, Reply, Ticket, Verdict } from './contract.ts'
import { invariant } from '../values/invariant.ts'

// Of the registry, so that the ESM and the CommonJS copy of this package in one process act as one.
const VISIT: unique symbol = Symbol.for('farebox.visit')

const NO_HEADERS: HeaderList = []

/** The verdict of a later visit: the first one meters the request. */
const VISITED: Verdict = { kind: 'unmetered' }

interface Visit {
  readonly gate: Gate
  readonly raw: unknown
  /** There while a reservation waits to be settled. */
  ticket: Ticket | undefined
  meter: MeterContext | undefined
}

/** What is needed of Node's `ServerResponse` and `Http2ServerResponse`. */
export interface NodeResponse {
  statusCode: number
  readonly headersSent: boolean
  readonly writableEnded: boolean
  readonly destroyed?: boolean
  /** What the server itself broke the response off with. */
  readonly errored?: Error | null
  readonly socket?: { readonly destroyed: boolean } | null
  /** On HTTP/2. */
  readonly stream?: { readonly destroyed: boolean; readonly aborted: boolean } | undefined
  on(event: 'close', listener: () => void): unknown
  setHeader(name: string, value: string): unknown
}

/** How a request goes on. */
export type Passage =
  /** Set the allowance headers and run the handler. `meter` is undefined where nothing meters the request. */
  | { readonly kind: 'proceed'; readonly meter: MeterContext | undefined; readonly headers: HeaderList }
  /** Send this and run nothing. */
  | { readonly kind: 'refused'; readonly reply: Reply }
  /** The client is gone and nothing is held for it any more: run nothing, send nothing. */
  | { readonly kind: 'gone' }

/**
 * Asks the gate, once for each response, however many gates a request passes. `passageOf` says what its verdict means. The
 * outcome is settled by itself when the response closes. Rejects as `gate.admit` does.
 */
export function enter<Raw>(gate: Gate<Raw>, request: MeteredRequest<Raw>, response: NodeResponse): Promise<Verdict> {
  const visited: NodeResponse & { [VISIT]?: Visit } = response
  if (visited[VISIT] !== undefined) return Promise.resolve(VISITED)
  visited[VISIT] = { gate, raw: request.raw, ticket: undefined, meter: undefined }
  // Before anything is awaited, so that no end of the response is missed.
  response.on('close', settleOnClose)
  return gate.admit(request)
}

/** How a request goes on after `enter`, at once: a later visit proceeds with the first one's meter. */
export function passageOf(verdict: Verdict, response: NodeResponse & { [VISIT]?: Visit }): Passage {
  if (verdict.kind === 'refused') return verdict
  const visit = response[VISIT]
  invariant(visit !== undefined, 'a response was entered before')
  if (verdict.kind === 'unmetered') return { kind: 'proceed', meter: visit.meter, headers: NO_HEADERS }
  const { ticket, headers } = verdict
  visit.ticket = ticket
  visit.meter = ticket.meter
  if (isClosed(response)) {
    // Earlier middleware may have answered and gone on; a client that left without an answer is not worked for.
    settle(visit, response.writableEnded ? outcomeOf(response) : { kind: 'not_started' })
    if (!response.writableEnded) return { kind: 'gone' }
  }
  return { kind: 'proceed', meter: ticket.meter, headers: response.headersSent ? NO_HEADERS : headers }
}

function isClosed({ destroyed, socket, stream }: NodeResponse): boolean {
  return destroyed === true || socket?.destroyed === true || stream?.destroyed === true
}

/** One listener for all responses, on the only event that every end of a response leads to. */
function settleOnClose(this: NodeResponse & { [VISIT]?: Visit }): void {
  const visit = this[VISIT]
  if (visit !== undefined) settle(visit, outcomeOf(this))
}

function settle(visit: Visit, outcome: Outcome): void {
  const { ticket, gate, raw } = visit
  visit.ticket = undefined
  if (ticket !== undefined) gate.settle(ticket, outcome, raw)
}

/** `writableFinished` would be wrong on HTTP/2, and a status means nothing before the headers are sent. */
function outcomeOf(response: NodeResponse): Outcome {
  const isWhole = response.writableEnded && !response.errored && response.stream?.aborted !== true
  if (isWhole) return { kind: 'finished', status: response.statusCode }
  return { kind: 'aborted', status: response.headersSent ? response.statusCode : null }
}
