/** @farebox/core/sandbox: a payment provider inside of the process, with cards that pay, decline and time out; no money moves. */

import { createHmac, timingSafeEqual } from 'node:crypto'
import type {
  ChargeInput,
  ChargeResult,
  PaymentProvider,
  ProviderEvent,
  RefundInput,
  RefundResult,
  StatusResult,
  WebhookRequest,
} from '../contracts/payment-provider.ts'
import { FareboxError } from '../errors.ts'
import { invalidOption, refuseUnknownOptions } from '../options.ts'
import { type Clock, systemClock } from '../values/clock.ts'
import { digestOf, randomSecret } from '../values/id.ts'
import { addMoney, formatMoney, type Money, zero } from '../values/money.ts'
import { type SandboxMethod, sandboxMethod } from './sandbox-methods.ts'
import { createCheckoutPages } from './sandbox-page.ts'

export { SANDBOX_METHODS } from './sandbox-methods.ts'
export type { SandboxMethod, SandboxMethodToken } from './sandbox-methods.ts'

export interface SandboxOptions {
  /** Where `handler` is mounted, as a customer's browser reaches it. Default `/sandbox`. */
  baseUrl?: string
  /** Default: the machine's. Pages are of use for an hour. */
  clock?: Clock
  /** Signs webhooks. Default: one that is drawn at the start. */
  secret?: string
}

/** Money that the sandbox moved. */
export interface SandboxMovement {
  readonly kind: 'charge' | 'refund'
  readonly key: string
  readonly customerId: string
  readonly amount: Money
}

export interface Sandbox extends PaymentProvider {
  /**
   * The checkout pages, to be mounted under `baseUrl`: a fetch handler, `Request` to `Response`.
   *
   * @example app.all('/sandbox/*', (c) => payments.handler(c.req.raw)) // Hono
   */
  handler(request: Request): Promise<Response>
  /** Everything that moved, in its order: each key once. */
  movements(): readonly SandboxMovement[]
  /** The header `sandbox-signature` of a webhook, over the bytes of its body. */
  sign(body: Uint8Array): string
}

/** A charge or a refund, once. */
interface Kept {
  readonly kind: SandboxMovement['kind']
  readonly customerId: string
  readonly amount: Money
  /** Of all that was asked for under the key. */
  readonly digest: string
  /** How it ends. */
  readonly end: ChargeResult
  /** Whether it has; one that is pending has when it is asked for. */
  hasEnded: boolean
  readonly method: SandboxMethod | null
  /** Of a charge: what went back, minor units. */
  refunded: Money
}

/** Beyond it the oldest are forgotten: this is a sandbox, and memory has an end. */
const MAX_KEPT = 100_000

/**
 * Deterministic and without a network: what a payment method does stands in `SANDBOX_METHODS`, and is the same each time. It keeps
 * what it moved in memory, so a process that starts anew knows nothing of it; Farebox's own records do.
 *
 * @example createFarebox({ catalog, store, payments: sandbox({ baseUrl: 'http://localhost:3000/sandbox' }) })
 */
export function sandbox(options: SandboxOptions = {}): Sandbox {
  const { baseUrl, clock, secret } = checked(options)
  const kept = new Map<string, Kept>()
  let listener: ((events: readonly ProviderEvent[]) => Promise<void>) | null = null
  const pages = createCheckoutPages({ baseUrl, clock, tell })

  return {
    id: 'sandbox',
    charge,
    refund,
    status,
    createCheckout: async (input) => pages.create(input),
    parseWebhook,
    listen: (heard) => void (listener = heard),
    handler: pages.handle,
    movements,
    sign,
  }

  async function tell(event: ProviderEvent): Promise<void> {
    if (listener === null)
      throw new FareboxError(
        'no_farebox',
        'Expected a Farebox that this sandbox belongs to: createFarebox({ payments: sandbox() })',
      )
    await listener([event])
  }

  async function charge({ customerId, paymentMethod, amount, invoiceId, key }: ChargeInput): Promise<ChargeResult> {
    const digest = digestOf('charge', customerId, paymentMethod ?? '', formatMoney(amount), amount.currency, invoiceId)
    const known = knownUnder(key, digest)
    if (known !== null) return heardAgain(known)
    const method = sandboxMethod(paymentMethod)
    const declines = method === null ? (paymentMethod === null ? 'no_payment_method' : 'unknown_payment_method') : method.declines
    const end = endOf(declines, `sandbox_charge_${kept.size + 1}`)
    return keep(key, { kind: 'charge', customerId, amount, digest, end, method }, method?.answers ?? 'at_once')
  }

  async function refund({ payment, amount, key }: RefundInput): Promise<RefundResult> {
    const digest = digestOf('refund', payment.id, formatMoney(amount), amount.currency)
    const known = knownUnder(key, digest)
    if (known !== null) return heardAgain(known)
    // What was charged before this process began is not here, and goes back all the same.
    const charged = kept.get(payment.id)
    const method = charged?.method ?? null
    const declines = charged === undefined ? null : refusalOf(charged, amount)
    if (charged !== undefined && declines === null) charged.refunded = addMoney(charged.refunded, amount)
    const end = endOf(declines, `sandbox_refund_${kept.size + 1}`)
    const { customerId } = payment
    return keep(key, { kind: 'refund', customerId, amount, digest, end, method }, method?.refundAnswers ?? 'at_once')
  }

  async function status(key: string): Promise<StatusResult> {
    const known = kept.get(key)
    if (known === undefined) return { kind: 'none' }
    known.hasEnded = true
    return known.end
  }

  function knownUnder(key: string, digest: string): Kept | null {
    const known = kept.get(key)
    if (known === undefined || known.digest === digest) return known ?? null
    throw new FareboxError('key_conflict', `Expected the key ${key} with what it was used for before, got something else`, {
      fields: { key },
    })
  }

  function keep(key: string, made: Omit<Kept, 'hasEnded' | 'refunded'>, answers: SandboxMethod['answers']): ChargeResult {
    kept.set(key, { ...made, hasEnded: answers !== 'pending', refunded: zero(made.amount.currency) })
    for (const oldest of kept.keys()) {
      if (kept.size <= MAX_KEPT) break
      kept.delete(oldest)
    }
    if (answers === 'at_once') return made.end
    return answers === 'unknown' ? { kind: 'unknown' } : { kind: 'pending', reference: key }
  }

  function movements(): SandboxMovement[] {
    return [...kept].flatMap(([key, { kind, customerId, amount, end, hasEnded }]) =>
      end.kind === 'succeeded' && hasEnded ? [{ kind, key, customerId, amount }] : [],
    )
  }

  function sign(body: Uint8Array): string {
    return createHmac('sha256', secret).update(body).digest('hex')
  }

  async function parseWebhook({ body, header }: WebhookRequest): Promise<readonly ProviderEvent[]> {
    const expected = Buffer.from(sign(body))
    const given = Buffer.from(header('sandbox-signature') ?? '')
    if (given.length !== expected.length || !timingSafeEqual(given, expected))
      throw invalidWebhook('signed with the secret of this sandbox')
    return eventsOf(body)
  }
}

function heardAgain({ end, hasEnded }: Kept): ChargeResult {
  return hasEnded ? end : { kind: 'pending', reference: null }
}

function endOf(declines: string | null, reference: string): ChargeResult {
  return declines === null ? { kind: 'succeeded', reference } : { kind: 'declined', code: declines }
}

/** Why a charge takes no such refund; null where it does. */
function refusalOf({ end, amount, refunded, method }: Kept, more: Money): string | null {
  if (end.kind !== 'succeeded') return 'charge_not_paid'
  if (addMoney(refunded, more).minor > amount.minor) return 'refund_exceeds_charge'
  return method?.refundDeclines ?? null
}

function checked(options: SandboxOptions): Required<SandboxOptions> {
  const where = 'sandbox()'
  refuseUnknownOptions(where, options, ['baseUrl', 'clock', 'secret'])
  const { baseUrl = '/sandbox', clock = systemClock, secret = randomSecret(SECRET_BYTES) } = options
  if (typeof baseUrl !== 'string' || !/^(https?:\/\/|\/)/.test(baseUrl))
    throw invalidOption(where, 'baseUrl', "a URL or a path, such as '/sandbox'", baseUrl)
  if (typeof clock?.now !== 'function') throw invalidOption(where, 'clock', 'a clock with now()', clock)
  if (typeof secret !== 'string' || secret.length < LEAST_SECRET)
    throw invalidOption(where, 'secret', `a text of at least ${LEAST_SECRET} characters`, 'one that is shorter')
  return { baseUrl: baseUrl.replace(/\/$/, ''), clock, secret }
}

const SECRET_BYTES = 32
const LEAST_SECRET = 24

/** The body is a JSON list of events, each as `ProviderEvent` says. */
function eventsOf(body: Uint8Array): ProviderEvent[] {
  let parsed: unknown
  try {
    parsed = JSON.parse(Buffer.from(body).toString('utf8'))
  } catch {
    throw invalidWebhook('JSON')
  }
  if (!Array.isArray(parsed) || !parsed.every(isEvent)) throw invalidWebhook('a list of events')
  return parsed
}

function isEvent(event: unknown): event is ProviderEvent {
  if (typeof event !== 'object' || event === null || !('kind' in event)) return false
  const { kind, key, customerId, paymentMethod } = event as Record<string, unknown>
  if (kind === 'payment') return typeof key === 'string'
  return (
    kind === 'payment_method' && typeof customerId === 'string' && (paymentMethod === null || typeof paymentMethod === 'string')
  )
}

function invalidWebhook(expected: string): FareboxError {
  return new FareboxError('invalid_webhook', `Expected a webhook that is ${expected}, got another`, { fields: { expected } })
}
