/** Sends money back: never more than came in and has not gone back in one way or another, whoever asks at once. */

import { withRefund } from './account/attempts.ts'
import { type Collection, invoiceOfPayment, paidOf, refundedOf } from './account/collection.ts'
import type { Entry } from './account/account-state.ts'
import { revokedBy } from './account/revoke.ts'
import type { Charging } from './charging.ts'
import { changeCollection } from './collections.ts'
import type { Change, Store } from './contracts/store.ts'
import { FareboxError } from './errors.ts'
import { refundable } from './invoice/refundable.ts'
import { withRevocation } from './records/grant.ts'
import { isUnderWay, type Payment, type Refund, refundedOrUnderWay } from './records/payment.ts'
import { checkKey } from './usage.ts'
import { parseAmount } from './values/amount.ts'
import type { Clock } from './values/clock.ts'
import { isZero } from './values/decimal.ts'
import { invariant } from './values/invariant.ts'
import { addMoney, formatMoney, type Money, subtractMoney } from './values/money.ts'

export interface RefundRequest {
  /** The payment's id. */
  payment: string
  /** In the main unit of its currency, as a decimal string. Default: all that may go back. */
  amount?: string
  /** One refund for each key, however often it is asked for: give the same one when you retry. */
  idempotencyKey: string
}

/** What became of a refund. */
export interface Refunded {
  /** `pending` and `unknown` are asked again by themselves. Where it was declined, what it took back of a grant is given again. */
  readonly kind: 'succeeded' | 'pending' | 'unknown' | 'declined'
  readonly refund: Refund
  readonly payment: Payment
}

export interface RefundsParts {
  readonly store: Store
  readonly clock: Clock
  readonly charging: Charging
  readonly ready: Promise<void>
}

/** Of one payment. */
const MAX_REFUNDS = 100

interface Begun {
  readonly payment: Payment
  readonly refund: Refund
  readonly isNew: boolean
}

export function createRefunds({ store, clock, charging, ready }: RefundsParts): (input: RefundRequest) => Promise<Refunded> {
  return (input) => charging.whole(() => refund(input))

  async function refund({ payment: id, amount, idempotencyKey: key }: RefundRequest): Promise<Refunded> {
    checkKey(key)
    await ready
    const invoiceId = typeof id === 'string' ? invoiceOfPayment(id) : null
    const invoice = invoiceId === null ? null : await store.invoice(invoiceId)
    if (invoice === null) throw noPayment(id)
    const begun = await changeCollection(store, invoice, (_state, collection): Change<Begun> => {
      const payment = collection?.payments.find((one) => one.id === id)
      if (collection === null || payment === undefined) throw noPayment(id)
      const wanted = amount === undefined ? null : parseAmount(amount, payment.amount.currency, 'amount')
      const known = payment.refunds.find((one) => one.key === key)
      if (known !== undefined) {
        if (wanted !== null && wanted.minor !== known.amount.minor) throw otherRefund(key, known)
        return { result: { payment, refund: known, isNew: false }, entries: [] }
      }
      return begin(collection, payment, { key, wanted, now: clock.now() })
    })
    const { payment, refund: made, isNew } = begun
    if (!isNew && !isUnderWay(made)) return shown(payment, made.id)
    return shown(await (isNew ? charging.refund(payment, made.id) : charging.ask(payment)), made.id)
  }
}

interface Asked {
  readonly key: string
  readonly wanted: Money | null
  readonly now: number
}

/** Pure. The refund is durable before the provider hears of it, and so is what it takes back of what was bought. */
function begin(collection: Collection, payment: Payment, { key, wanted, now }: Asked): Change<Begun> {
  const most = mostOf(collection, payment)
  const amount = wanted ?? most
  if (amount.minor === 0n || amount.minor > most.minor) throw tooMuch(payment, most, amount)
  if (payment.refunds.length >= MAX_REFUNDS) throw tooOften(payment)
  const [next, refund] = withRefund({ payment, amount, key, creditNote: null, now })
  const revoked = revocationEntries(collection, { back: amount, key: refund.id, now })
  return { result: { payment: next, refund, isNew: true }, entries: [{ kind: 'payment', payment: next }, ...revoked] }
}

/** What of a payment may go back: money that a credit note left as invoice credit has gone back already. */
function mostOf(collection: Collection, payment: Payment): Money {
  const { invoice, kept } = collection
  const ofAll = refundable({ invoice, paid: paidOf(collection), credited: invoice.total, kept, refunded: refundedOf(collection) })
  const left = subtractMoney(payment.amount, refundedOrUnderWay(payment))
  const isPaid = payment.status === 'succeeded'
  return { minor: !isPaid ? 0n : left.minor < ofAll.minor ? left.minor : ofAll.minor, currency: left.currency }
}

export interface Back {
  /** What goes back now, as money or as invoice credit. */
  readonly back: Money
  /** Names the revocation: the id of the refund, or of the credit note. */
  readonly key: string
  readonly now: number
}

/** What is taken back of a pack or a top-up whose money goes back: its share of what is unused. */
export function revocationEntries(collection: Collection, { back, key, now }: Back): Entry[] {
  const { invoice, grant, kept } = collection
  if (grant === null || grant.isClosed) return []
  const all = addMoney(addMoney(kept, refundedOf(collection)), back)
  const amount = revokedBy({ grant, invoiceId: invoice.id, paid: paidOf(collection), back: all })
  if (isZero(amount)) return []
  return [{ kind: 'granted', grant: withRevocation(grant, { key, amount, at: now, reason: 'refund' }) }]
}

function shown(payment: Payment, id: string): Refunded {
  const refund = payment.refunds.find((one) => one.id === id)
  invariant(refund !== undefined, 'a refund stays with its payment')
  return { kind: refund.status === 'open' ? 'unknown' : refund.status, refund, payment }
}

function noPayment(id: unknown): FareboxError {
  return new FareboxError('not_found', `Expected the id of a payment, got ${JSON.stringify(id)}: payments.list() has them`, {
    fields: { payment: id },
  })
}

function otherRefund(key: string, { id, amount }: Refund): FareboxError {
  return new FareboxError(
    'key_conflict',
    `Expected the key ${key} with what it was used for before, the refund ${id} of ${formatMoney(amount)}, got another amount: give what is new a key of its own`,
    { fields: { key, refund: id } },
  )
}

function tooMuch({ id, status }: Payment, most: Money, amount: Money): FareboxError {
  const found = status === 'succeeded' ? `${formatMoney(most)} ${most.currency} are left to give back` : `it is ${status}`
  return new FareboxError(
    'refund_exceeds_payment',
    `Expected a refund of more than nothing and at most what was paid and has not gone back, got ${formatMoney(amount)} of the payment ${id}, of which ${found}`,
    { fields: { payment: id, expected: formatMoney(most), value: formatMoney(amount) } },
  )
}

function tooOften({ id }: Payment): FareboxError {
  return new FareboxError('limit_reached', `Expected at most ${MAX_REFUNDS} refunds of the payment ${id}, got one more`, {
    fields: { payment: id, limit: MAX_REFUNDS },
  })
}
