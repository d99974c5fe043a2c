/** Attempts to move money, and what a provider's answers make of them. Pure. */

import { type Asked, type Bought, isUnderWay, type Payment, type PaymentResult, type Refund } from '../records/payment.ts'
import { invariant } from '../values/invariant.ts'
import { addMoney, type Money, zero } from '../values/money.ts'
import { type Collection, paymentId, refundId } from './collection.ts'

export interface AttemptInput {
  readonly collection: Pick<Collection, 'invoice' | 'payments'>
  readonly amount: Money
  readonly provider: string
  readonly paymentMethod: string | null
  readonly isAutomatic: boolean
  readonly buys?: Bought
  /** Epoch milliseconds. */
  readonly now: number
}

/** The next attempt to pay an invoice. Its id is the key that the provider is given: the same attempt never charges twice. */
export function newAttempt({ collection: { invoice, payments }, now, buys, ...members }: AttemptInput): Payment {
  invariant(members.amount.minor > 0n, 'there is something to charge')
  invariant(!payments.some(isUnderWay), 'an attempt begins when the one before it has ended')
  return {
    ...members,
    id: paymentId(invoice.id, payments.length + 1),
    customerId: invoice.customerId,
    invoiceId: invoice.id,
    status: 'open',
    awaits: 'provider',
    reference: null,
    declineCode: null,
    refunded: zero(members.amount.currency),
    refunds: [],
    ...(buys === undefined ? {} : { buys }),
    asked: null,
    createdAt: now,
    endedAt: null,
  }
}

export interface NewRefund {
  readonly payment: Payment
  readonly amount: Money
  readonly key: string
  readonly creditNote: string | null
  readonly now: number
}

/** The payment with one more refund, and that refund. Whoever calls has looked at what may go back. */
export function withRefund({ payment, amount, key, creditNote, now }: NewRefund): readonly [Payment, Refund] {
  invariant(amount.minor > 0n, 'there is something to refund')
  const refund: Refund = {
    id: refundId(payment.id, payment.refunds.length + 1),
    key,
    amount,
    status: 'open',
    reference: null,
    declineCode: null,
    creditNote,
    asked: null,
    createdAt: now,
    endedAt: null,
  }
  return [{ ...payment, refunds: [...payment.refunds, refund] }, refund]
}

/** What a provider's answer makes of a payment that is under way. */
export function withResult(payment: Payment, result: PaymentResult, now: number): Payment {
  const awaits = result.kind === 'pending' && result.awaits === 'operator' ? 'operator' : 'provider'
  return { ...payment, ...heard(payment, result, now), awaits }
}

/** What a provider's answer makes of a refund that is under way. */
export function withRefundResult(payment: Payment, id: string, result: PaymentResult, now: number): Payment {
  const refunds = payment.refunds.map((refund) => (refund.id === id ? { ...refund, ...heard(refund, result, now) } : refund))
  const succeeded = refunds.filter(({ status }) => status === 'succeeded')
  const refunded = succeeded.reduce((sum, { amount }) => addMoney(sum, amount), zero(payment.amount.currency))
  invariant(refunded.minor <= payment.amount.minor, 'no more goes back than came in')
  return { ...payment, refunds, refunded }
}

type Heard = Pick<Payment & Refund, 'status' | 'reference' | 'declineCode' | 'asked' | 'endedAt'>

function heard(before: Payment | Refund, result: PaymentResult, now: number): Heard {
  invariant(isUnderWay(before), 'what has ended stays as it is')
  const { reference, declineCode, endedAt } = before
  switch (result.kind) {
    case 'succeeded':
      return { status: 'succeeded', reference: result.reference, declineCode, asked: null, endedAt: now }
    case 'declined':
      return { status: 'declined', reference, declineCode: result.code, asked: null, endedAt: now }
    case 'pending':
      return { status: 'pending', reference: result.reference ?? reference, declineCode, asked: askedAgain(before, now), endedAt }
    case 'unknown': {
      // That it was pending is known, whatever was not heard since.
      const status = before.status === 'pending' ? 'pending' : 'unknown'
      return { status, reference, declineCode, asked: askedAgain(before, now), endedAt }
    }
  }
}

function askedAgain({ asked }: Payment | Refund, now: number): Asked {
  return { times: (asked?.times ?? 0) + 1, at: now }
}

/** A first answer is lost with its process at most this much after it could have come. */
const GRACE_MS = 5_000

/** Between two questions: at first this long, then twice as long each time, up to the second of them. */
const UNKNOWN_MS = [5_000, 3_600_000] as const
const PENDING_MS = [60_000, 21_600_000] as const

export interface AskingTime {
  readonly now: number
  /** How long the provider may take to answer. */
  readonly withinMs: number
}

/** Whether it is time to ask a provider what became of something. Whose answer may still come is not asked. */
export function isToBeAsked(thing: Payment | Refund, { now, withinMs }: AskingTime): boolean {
  const { status, asked, createdAt } = thing
  if (!isUnderWay(thing) || ('awaits' in thing && thing.awaits === 'operator')) return false
  if (status === 'open' || asked === null) return now >= createdAt + withinMs + GRACE_MS
  const [first, longest] = status === 'pending' ? PENDING_MS : UNKNOWN_MS
  return now >= asked.at + Math.min(longest, first * 2 ** Math.min(asked.times - 1, MAX_DOUBLINGS))
}

const MAX_DOUBLINGS = 20
