/** The flow of one metered request, for every framework: identify, admit, answer or go on, measure, settle. */

import { FareboxError, isOutage } from '../errors.ts'
import { isCustomerId } from '../identify/customer-id.ts'
import type { KeyIdentification } from '../identify/identify.ts'
import type { Admission, Meter, Told } from '../meter.ts'
import type { Claim } from '../records/claim.ts'
import type { ModelUsage } from '../records/model-usage.ts'
import type { RefusalCode } from '../records/refusal.ts'
import type { Reservation } from '../records/reservation.ts'
import type { UnpricedUsage } from '../records/unpriced-usage.ts'
import type { NewUsageEvent } from '../records/usage-event.ts'
import type { Slots } from '../spool/spool.ts'
import type { Clock } from '../values/clock.ts'
import { invariant } from '../values/invariant.ts'
import { formatQuantity, ONE, parseQuantity, type Quantity, type QuantityInput } from '../values/quantity.ts'
import {
  type Gate,
  type MeterContext,
  type MeteredRequest,
  type MeterOptions,
  type ModelUsageReport,
  type Outcome,
  type Ticket,
  type Verdict,
} from './contract.ts'
import { checkedUsage } from '../model-usage.ts'
import { createRateLimit, policyOf, rateLimitHeaders } from './headers.ts'
import type { InFlight } from './in-flight.ts'
import { type Action, edgeReply, refusalReply } from './problem.ts'

/** What a gate is made of; one set for the whole Farebox. */
export interface GateParts {
  readonly meter: Meter
  readonly clock: Clock
  readonly ready: Promise<void>
  readonly keys: KeyIdentification
  readonly newKey: () => string
  /** What a client can do about a refusal. */
  readonly actions: (code: RefusalCode) => readonly Action[]
  readonly inFlight: InFlight
  /** Takes what was used while the store could not answer. */
  readonly spool: Slots
  /** Gets errors that no answer can carry any more. */
  readonly onError: (error: unknown) => void
}

/**
 * A ticket as the gate keeps it, and the context that the handler sees. A class, because one is made for each request and
 * closures would cost as much as all the rest of it.
 */
class OpenTicket implements Ticket, MeterContext {
  readonly claim: Claim
  /** Null where the store could not answer and the request was let through all the same. */
  readonly reservation: Reservation | null
  readonly #left: Quantity | null
  /** The sum of what the handler added; null until it adds something. */
  added: Quantity | null = null
  /** Tells the tokens that the handler told of, or follows. */
  report: (() => ModelUsageReport) | null = null
  isSettled = false

  constructor(claim: Claim, reservation: Reservation | null, left: Quantity | null) {
    this.claim = claim
    this.reservation = reservation
    this.#left = left
  }

  get meter(): MeterContext {
    return this
  }

  get customerId(): string {
    return this.claim.customerId
  }

  get feature(): string {
    return this.claim.feature
  }

  get key(): string {
    return this.claim.key
  }

  get remaining(): string | null {
    return this.#left === null ? null : formatQuantity(this.#left)
  }

  /** What the handler may see, and no more: whoever answers or logs it gets plain values. */
  toJSON(): Omit<MeterContext, 'add' | 'addModelUsage' | 'followModelUsage'> {
    const { customerId, feature, key, remaining } = this
    return { customerId, feature, key, remaining }
  }

  add(units: QuantityInput): void {
    this.added = (this.added ?? 0n) + parseQuantity(units, 'units')
  }

  addModelUsage(usage: ModelUsage, { isIncomplete = false }: { readonly isIncomplete?: boolean } = {}): void {
    const report = { usage: checkedUsage(usage), incomplete: isIncomplete }
    this.report = () => report
  }

  followModelUsage(soFar: () => ModelUsageReport): void {
    this.report = soFar
  }
}

/** `feature` is a metered feature of the catalog; `options` were checked by the caller. */
export function createGate<Raw>(parts: GateParts, feature: string, options: MeterOptions<Raw>): Gate<Raw> {
  const { meter, clock, keys, newKey, inFlight, spool, onError } = parts
  const { units, estimate, identify, anonymous = 'reject', billWhen = isBelow400, onAbort = 'charge' } = options
  const { skip, onRefused, onStoreError = 'refuse' } = options
  const fixedUnits = typeof units === 'function' ? null : units === undefined ? ONE : parseQuantity(units, 'units')
  const rateLimit = createRateLimit(feature)
  /** Hears of every settlement. */
  const settled: Told<UnpricedUsage | null> = { resolve: endAndWarn, reject: endWithError }
  let isReady = false
  void parts.ready.then(() => (isReady = true)).catch(() => {})

  /** A request that waits for its verdict. */
  class Asking implements Told<Admission> {
    readonly request: MeteredRequest<Raw>
    readonly at: number
    /** Null until it is known who asks. */
    claim: Claim | null = null
    readonly #resolve: (verdict: Verdict) => void
    readonly #reject: (error: unknown) => void

    constructor(request: MeteredRequest<Raw>, at: number, resolve: (verdict: Verdict) => void, reject: (error: unknown) => void) {
      this.request = request
      this.at = at
      this.#resolve = resolve
      this.#reject = reject
    }

    resolve(admission: Admission): void {
      try {
        this.answer(verdictOf(admission, this.at))
      } catch (error) {
        this.reject(error)
      }
    }

    answer(verdict: Verdict): void {
      if (verdict.kind !== 'admitted') inFlight.end()
      this.#resolve(verdict)
    }

    /** Lets a request through that the store could not decide, if the spool has a slot for it, or refuses it; what is a developer's mistake rejects. */
    reject(error: unknown): void {
      if (isOutage(error)) return this.answer(unanswered(error, this.claim))
      inFlight.end()
      this.#reject(error)
    }
  }

  return { admit: onRefused === undefined ? admit : admitAnswering(onRefused), settle }

  function admit(request: MeteredRequest<Raw>): Promise<Verdict> {
    // A preflight asks what it may do; it is never counted, whatever answers it.
    if (request.method === 'OPTIONS') return Promise.resolve(UNMETERED)
    // Read before anything is awaited: the instant of the request is the event's timestamp.
    const at = clock.now()
    return skip === undefined ? ask(request, at) : askUnless(skip, request, at)
  }

  async function askUnless(isSkipped: NonNullable<typeof skip>, request: MeteredRequest<Raw>, at: number): Promise<Verdict> {
    return (await isSkipped(request.raw)) ? UNMETERED : ask(request, at)
  }

  /** The refusal is the developer's to see before it is sent. */
  function admitAnswering(answer: NonNullable<typeof onRefused>): (request: MeteredRequest<Raw>) => Promise<Verdict> {
    return async (request) => {
      const verdict = await admit(request)
      return verdict.kind === 'refused' ? { kind: 'refused', reply: await answer(verdict.reply, request.raw) } : verdict
    }
  }

  /** One promise, whatever is asked on the way: each more would cost a request as much as its arithmetic. */
  function ask(request: MeteredRequest<Raw>, at: number): Promise<Verdict> {
    if (inFlight.isDraining) return Promise.resolve(unavailable())
    // Counted from here on, so that stopping waits for those who wait to be admitted too.
    inFlight.begin()
    return new Promise((resolve, reject) => {
      const asking = new Asking(request, at, resolve, reject)
      if (isReady) return identified(asking)
      parts.ready.then(
        () => identified(asking),
        (error: unknown) => asking.reject(error),
      )
    })
  }

  function identified(asking: Asking): void {
    const { request } = asking
    try {
      const customerId = identify === undefined ? keys.identify(request) : identify(request.raw)
      if (!(customerId instanceof Promise)) return claimed(asking, customerId)
      customerId.then((id) => claimed(asking, id)).catch((error: unknown) => asking.reject(error))
    } catch (error) {
      asking.reject(error)
    }
  }

  function claimed(asking: Asking, customerId: string | null | undefined): void {
    if (!isCustomerId(customerId)) return asking.answer(anonymous === 'reject' ? unidentified() : UNMETERED)
    const { request, at } = asking
    const quantity = fixedUnits ?? parseQuantity(unitsOf(request.raw), 'units')
    let claim: Claim = { customerId, feature, quantity, key: newKey(), at, route: request.route }
    const most = estimate?.(request.raw)
    if (most !== undefined) claim = { ...claim, usage: checkedUsage(most) }
    asking.claim = claim
    meter.admit(claim, asking)
  }

  function unanswered(error: FareboxError, claim: Claim | null): Verdict {
    if (claim === null) return unavailable()
    if (error.fields['outcome'] === 'unknown') meter.takeBack(claim)
    if (onStoreError === 'refuse' || !spool.take()) return unavailable()
    return { kind: 'admitted', ticket: new OpenTicket(claim, null, null), headers: [] }
  }

  function verdictOf(admission: Admission, now: number): Verdict {
    if (admission.kind === 'refused') {
      const { refusal } = admission
      return { kind: 'refused', reply: refusalReply({ refusal, instance: newKey(), actions: parts.actions(refusal.code), now }) }
    }
    invariant(admission.kind === 'admitted', 'what has no price is an error by now')
    const { reservation, allowance, period } = admission
    const { included: limit, remaining, unit } = allowance
    const headers =
      unit === undefined
        ? rateLimit.headers(limit, remaining, period.end, now)
        : rateLimitHeaders({ feature: policyOf(unit), limit, remaining, periodEnd: period.end, now })
    return { kind: 'admitted', ticket: new OpenTicket(reservation, reservation, remaining), headers }
  }

  function settle(ticket: Ticket, outcome: Outcome, raw: Raw): void {
    const open = ticket as OpenTicket
    if (open.isSettled) return
    open.isSettled = true
    const billed = billedUnits(open, outcome, raw)
    const { reservation, claim } = open
    if (reservation === null) return settleSpooled(claim, billed)
    const report = billed === null || open.report === null ? null : reported(open.report)
    const ending = report === null ? { billed } : { billed, usage: report.usage, isIncomplete: report.incomplete }
    meter.settle(reservation, ending, settled)
  }

  function settleSpooled(claim: Claim, billed: Quantity | null): void {
    if (billed === null) {
      spool.giveBack()
      inFlight.end()
    } else {
      spool.fill(eventOf(claim, billed)).then(inFlight.end, endWithError)
    }
  }

  /** What an AI model used; null where what was told is a mistake: then its estimate counts, or it waits for a price. */
  function reported(report: () => ModelUsageReport): ModelUsageReport | null {
    try {
      const { usage, incomplete } = report()
      return { usage: checkedUsage(usage), incomplete }
    } catch (error) {
      onError(error)
      return null
    }
  }

  /** Usage without a price is not lost, and somebody has to hear of it. */
  function endAndWarn(unpriced: UnpricedUsage | null): void {
    inFlight.end()
    if (unpriced !== null) onError(unpricedWarning(unpriced))
  }

  function endWithError(error: unknown): void {
    inFlight.end()
    onError(error)
  }

  /** Units to bill, or null to void. */
  function billedUnits(open: OpenTicket, outcome: Outcome, raw: Raw): Quantity | null {
    switch (outcome.kind) {
      case 'not_started':
        return null
      case 'aborted':
        return onAbort === 'charge' ? (open.added ?? open.claim.quantity) : null
      case 'finished':
        return isBilled(outcome.status) ? measured(open, outcome, raw) : null
    }
  }

  function isBilled(status: number): boolean {
    try {
      return billWhen({ status })
    } catch (error) {
      onError(error)
      return isBelow400({ status })
    }
  }

  function measured(open: OpenTicket, outcome: Outcome, raw: Raw): Quantity {
    if (open.added !== null) return open.added
    if (fixedUnits !== null) return fixedUnits
    try {
      return parseQuantity(unitsOf(raw, outcome), 'units')
    } catch (error) {
      // The work was done and what was reserved for it stands; the developer hears of the mistake.
      onError(error)
      return open.claim.quantity
    }
  }

  function unitsOf(raw: Raw, outcome?: Outcome): QuantityInput {
    if (typeof units !== 'function') return units ?? 1
    return outcome === undefined ? units(raw) : units(raw, outcome)
  }
}

type Refused = Extract<Verdict, { kind: 'refused' }>

const UNMETERED: Verdict = { kind: 'unmetered' }

function unidentified(): Refused {
  return {
    kind: 'refused',
    reply: edgeReply('unidentified_customer', 'Send your API key in the x-api-key header or as a bearer token.'),
  }
}

function unavailable(): Refused {
  return {
    kind: 'refused',
    reply: edgeReply('store_unavailable', 'The request could not be metered, so it was not served. Try again.'),
  }
}

function unpricedWarning({ customerId, feature, id, reason }: UnpricedUsage): FareboxError {
  return new FareboxError(
    'unpriceable_usage',
    `Expected usage of ${feature} that has a price, got some of ${customerId} that has none: ${reason}. It waits in usage.unpriced() until usage.retryUnpriced() finds one`,
    { fields: { customerId, feature, id } },
  )
}

function eventOf({ customerId, feature, key, at, route }: Claim, billed: Quantity): NewUsageEvent {
  return { customerId, feature, quantity: billed, at, key, route, properties: null }
}

function isBelow400({ status }: { readonly status: number }): boolean {
  return status < 400
}
