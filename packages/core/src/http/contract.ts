/** The HTTP edge: the plain shapes between a framework and the gate. An adapter only translates into and out of them. */

import type { ModelUsage } from '../records/model-usage.ts'
import type { QuantityInput } from '../values/quantity.ts'

/** A matched request, as any framework can describe it. */
export interface MeteredRequest<Raw = unknown> {
  readonly method: string
  /** The framework's own matched pattern, such as `/v1/users/:id`. */
  readonly route: string | null
  /** The value of a header by its lower-case name. */
  header(name: string): string | undefined
  /** The framework's own request, given to the developer's functions. */
  readonly raw: Raw
}

/** How the answer ended. */
export type Outcome =
  /** The response was sent with this status. */
  | { readonly kind: 'finished'; readonly status: number }
  /** The client went away, or the connection was cut. `status` is null when no header was sent. */
  | { readonly kind: 'aborted'; readonly status: number | null }
  /** The client was gone before the handler started, so no work was done. */
  | { readonly kind: 'not_started' }

/** What the handler sees of its own metering: `req.meter` and its like. */
export interface MeterContext {
  readonly customerId: string
  readonly feature: string
  /** The key of the reservation, and of the usage event that it becomes. */
  readonly key: string
  /** Allowance left after this reservation, as a decimal string of units; null where nothing limits it. */
  readonly remaining: string | null
  /** Adds units to what this request is billed. From the first call on, the sum replaces `units`. Call it on this object. Throws `invalid_quantity`. */
  add(units: QuantityInput): void
  /**
   * Tells what an AI model used for this request, on a plan that sells its tokens; of several calls the last one counts. `isIncomplete`
   * says that the answer broke off and the tokens are those that were delivered. Call it on this object.
   */
  addModelUsage(usage: ModelUsage, options?: { readonly isIncomplete?: boolean }): void
  /**
   * Asks for what an AI model used when the request is settled, and not before: of an answer that is still being streamed when the client
   * leaves, what was delivered by then is billed. Example: `req.meter.followModelUsage(() => read.soFar())` with `readUsageStream()` of
   * `@farebox/ai`. Of several sources the last one counts. Call it on this object.
   */
  followModelUsage(soFar: () => ModelUsageReport): void
}

/** What an AI model used so far, and whether its answer is not whole. */
export interface ModelUsageReport {
  readonly usage: ModelUsage
  readonly incomplete: boolean
}

/** An admitted request on its way to being settled. Belongs to the gate. */
export interface Ticket {
  readonly meter: MeterContext
}

export type HeaderList = readonly (readonly [name: string, value: string])[]

/** A whole answer, ready to be sent. */
export interface Reply {
  readonly status: number
  readonly headers: HeaderList
  readonly body: string
}

export type Verdict =
  | { readonly kind: 'unmetered' }
  | { readonly kind: 'admitted'; readonly ticket: Ticket; readonly headers: HeaderList }
  | { readonly kind: 'refused'; readonly reply: Reply }

/** One meter: made once at start-up by `createGate`, used for every request it meters. */
export interface Gate<Raw = unknown> {
  /**
   * Decides before the handler runs. The reservation is durable when the promise resolves. Rejects with a coded
   * `FareboxError` for a developer's mistake (`units` gave NaN, `identify` threw): the framework's error handling has it.
   */
  admit(request: MeteredRequest<Raw>): Promise<Verdict>
  /** Posts or voids the reservation. Takes effect at once in this process, durable within 50 ms. Never throws; a second call does nothing. */
  settle(ticket: Ticket, outcome: Outcome, raw: Raw): void
}

/** What `meter()` takes on every framework. */
export interface MeterOptions<Raw = unknown> {
  /**
   * How much a request counts: a number of units (up to six decimals), or a function. A function is called twice: before
   * the handler without an outcome, to say how much is reserved, and after it with one, to say how much it was. Default 1.
   */
  units?: QuantityInput | ((request: Raw, outcome?: Outcome) => QuantityInput)
  /** The most tokens that a request may use on a plan that sells an AI model's: they are held until the answer is there. Default: nothing is. */
  estimate?: (request: Raw) => ModelUsage | undefined
  /** Gives the customer's id, or null for an anonymous request. Default: Farebox's own API keys (`x-api-key` or a bearer token). */
  identify?: (request: Raw) => string | null | undefined | Promise<string | null | undefined>
  /** What an anonymous request gets: 401 (`reject`, the default), or no metering at all (`skip`). */
  anonymous?: 'reject' | 'skip'
  /** Whether an answered request is billed. Default: a status below 400. */
  billWhen?: (outcome: { readonly status: number }) => boolean
  /** Whether a matched request is served without being metered at all: not counted, never refused, no headers. Default: none is. */
  skip?: (request: Raw) => boolean | Promise<boolean>
  /** Gets the answer that a refused request would be sent (401, 402, 403, 503) and gives the one that it is sent. Its handler does not run either way. */
  onRefused?: (reply: Reply, request: Raw) => Reply | Promise<Reply>
  /**
   * What a request gets when the store cannot answer: 503 (`refuse`, the default), or its handler runs (`allow`), and what
   * it used is kept in the spool, a file that survives the process, and billed when the store is back, up to what the plan
   * allows. When the spool is full, requests are refused. With `allow`, `meter()` throws `store_not_writable` where the
   * spool's file could not be made.
   */
  onStoreError?: 'refuse' | 'allow'
  /** What happens when the client goes away: the work was started, so it is billed (`charge`, the default), or not (`void`). */
  onAbort?: 'charge' | 'void'
}
