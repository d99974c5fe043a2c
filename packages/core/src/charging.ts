/** Carries out attempts to move money: calls the provider under the attempt's key, writes down what it said, and asks again. */

import type { AccountState, Entry } from './account/account-state.ts'
import { isToBeAsked, withRefundResult, withResult } from './account/attempts.ts'
import { afterDecline } from './account/auto-top-up.ts'
import type { Collection } from './account/collection.ts'
import { isPurchase, purchasedGrant } from './account/purchase.ts'
import { changeCollection } from './collections.ts'
import { createProviderCalls, DEFAULT_WITHIN_MS } from './collect/provider-calls.ts'
import type { PaymentProvider, StatusResult } from './contracts/payment-provider.ts'
import { MAX_PAGE, type Store } from './contracts/store.ts'
import { step } from './invoice-steps.ts'
import { paymentFromRecord } from './records/account-record.ts'
import { type Grant, withRevocation } from './records/grant.ts'
import { isUnderWay, type Payment, type PaymentResult, type Refund } from './records/payment.ts'
import type { Clock } from './values/clock.ts'
import { negate } from './values/decimal.ts'
import { invariant } from './values/invariant.ts'

export interface Charging {
  /** Charges an attempt whose record is durable, unless this process does it already. Resolves with what became of it. */
  charge(payment: Payment): Promise<Payment>
  /** Sends back a refund whose record is durable. */
  refund(payment: Payment, refundId: string): Promise<Payment>
  /** Asks what became of whatever of a payment is under way. */
  ask(payment: Payment): Promise<Payment>
  /** Asks about everything that is under way: all of it, or what it is time to ask about. Resolves with how many ended. */
  askAll(which: 'all' | 'due'): Promise<number>
  /** Does something that writes an attempt down and then charges it: `idle` waits for the whole of it. */
  whole<T>(work: () => Promise<T>): Promise<T>
  /** Resolves when nothing of this process is under way any more. */
  idle(): Promise<void>
}

export interface ChargingParts {
  readonly store: Store
  readonly clock: Clock
  readonly provider: PaymentProvider
  readonly onError: (error: unknown) => void
}

/** A provider forgets a key after a day at the earliest; what it never heard of by then is not sent any more. */
const SENT_WITHIN_MS = 23 * 3_600_000

/** Payments that are asked about side by side. */
const SIDE_BY_SIDE = 16

export function createCharging({ store, clock, provider, onError }: ChargingParts): Charging {
  const calls = createProviderCalls({ provider, onError })
  const withinMs = provider.withinMs ?? DEFAULT_WITHIN_MS
  /** Calls of this process, by key: who asks for the same waits for the same. */
  const running = new Map<string, Promise<Payment>>()

  const wholes = new Set<Promise<unknown>>()

  return { charge, refund, ask, askAll, whole, idle }

  function charge(payment: Payment): Promise<Payment> {
    return once(payment.id, async () => conclude(payment, await calls.charge(chargeInput(payment))))
  }

  function refund(payment: Payment, id: string): Promise<Payment> {
    const one = payment.refunds.find((candidate) => candidate.id === id)
    invariant(one !== undefined, 'a refund is one of its payment')
    return once(id, async () => concludeRefund(payment, one, await calls.refund(refundInput(payment, one))))
  }

  function once(key: string, call: () => Promise<Payment>): Promise<Payment> {
    const asked = running.get(key)
    if (asked !== undefined) return asked
    const made = call().finally(() => running.delete(key))
    running.set(key, made)
    return made
  }

  async function ask(payment: Payment): Promise<Payment> {
    let current = payment
    if (isUnderWay(payment) && payment.awaits === 'provider') current = await once(payment.id, () => askPayment(payment))
    for (const one of payment.refunds) {
      if (isUnderWay(one)) current = await once(one.id, () => askRefund(payment, one))
    }
    return current
  }

  async function askPayment(payment: Payment): Promise<Payment> {
    const result = await calls.status(payment.id)
    if (!isUnheardOf(payment, result)) return conclude(payment, heardOf(result))
    // Under the same key, so it is the same charge should the first one arrive after all.
    return conclude(payment, isTooOld(payment) ? NEVER_SENT : await calls.charge(chargeInput(payment)))
  }

  async function askRefund(payment: Payment, one: Refund): Promise<Payment> {
    const result = await calls.status(one.id)
    if (!isUnheardOf(one, result)) return concludeRefund(payment, one, heardOf(result))
    return concludeRefund(payment, one, isTooOld(one) ? NEVER_SENT : await calls.refund(refundInput(payment, one)))
  }

  function isTooOld({ createdAt }: Payment | Refund): boolean {
    return clock.now() >= createdAt + SENT_WITHIN_MS
  }

  /** One change: how the attempt ended, what its invoice becomes, and what was bought with it. */
  function conclude(payment: Payment, result: PaymentResult): Promise<Payment> {
    const query = { id: payment.invoiceId, customerId: payment.customerId }
    return changeCollection(store, query, (state, collection) => {
      const current = collection?.payments.find(({ id }) => id === payment.id)
      invariant(collection !== null && current !== undefined, 'what is charged was written down before')
      // Another process, or the operator, was faster.
      if (!isUnderWay(current)) return { result: current, entries: [] }
      const now = clock.now()
      const next = withResult(current, result, now)
      return {
        result: next,
        entries: [{ kind: 'payment', payment: next }, ...afterAttempt(state, collection, { payment: next, now })],
      }
    })
  }

  function concludeRefund(payment: Payment, { id }: Refund, result: PaymentResult): Promise<Payment> {
    const query = { id: payment.invoiceId, customerId: payment.customerId }
    return changeCollection(store, query, (_state, collection) => {
      const current = collection?.payments.find((one) => one.id === payment.id)
      const refunded = current?.refunds.find((one) => one.id === id)
      invariant(collection !== null && current !== undefined && refunded !== undefined, 'what goes back was written down before')
      if (!isUnderWay(refunded)) return { result: current, entries: [] }
      const now = clock.now()
      const next = withRefundResult(current, id, result, now)
      const { grant } = collection
      const again = result.kind === 'declined' && grant !== null ? givenAgain(grant, id, now) : []
      return { result: next, entries: [{ kind: 'payment', payment: next }, ...again] }
    })
  }

  async function askAll(which: 'all' | 'due'): Promise<number> {
    if (which === 'all') await idle()
    let ended = 0
    let after: string | undefined
    do {
      const page = await store.records({ kind: 'payment', isOpen: true, after, limit: MAX_PAGE })
      const open = page.items.map(paymentFromRecord).filter((payment) => which === 'all' || isDue(payment))
      for (let first = 0; first < open.length; first += SIDE_BY_SIDE) {
        const asked = await Promise.all(open.slice(first, first + SIDE_BY_SIDE).map((payment) => ask(payment).catch(onError)))
        ended += asked.filter((payment) => payment !== undefined && countUnderWay(payment) === 0).length
      }
      after = page.next ?? undefined
    } while (after !== undefined)
    return ended
  }

  function isDue(payment: Payment): boolean {
    const time = { now: clock.now(), withinMs }
    return [payment, ...payment.refunds].some((one) => isToBeAsked(one, time))
  }

  function whole<T>(work: () => Promise<T>): Promise<T> {
    const made = work().finally(() => wholes.delete(made))
    wholes.add(made)
    return made
  }

  async function idle(): Promise<void> {
    while (running.size + wholes.size > 0) await Promise.allSettled([...running.values(), ...wholes])
  }
}

/** What follows from the end of an attempt. */
function afterAttempt(
  state: AccountState,
  { invoice }: Collection,
  { payment, now }: { readonly payment: Payment; readonly now: number },
): Entry[] {
  if (payment.status === 'succeeded') return paidEntries(invoice, { payment, now })
  if (payment.status !== 'declined') return []
  // Nothing was delivered, so nothing is owed.
  const entries: Entry[] = isPurchase(invoice) ? [step(invoice, 'void')] : []
  const customer = payment.isAutomatic && state.customer !== null ? afterDecline(state.customer, payment, invoice.subtotal) : null
  return customer === null ? entries : [...entries, { kind: 'customer', customer }]
}

/** An invoice is paid, and what was bought with it is there: in the same change, so that neither is without the other. */
export function paidEntries(
  invoice: Collection['invoice'],
  { payment: { buys, createdAt }, now }: { readonly payment: Payment; readonly now: number },
): Entry[] {
  const paid = step(invoice, 'paid')
  return buys === undefined
    ? [paid]
    : [paid, { kind: 'granted', grant: purchasedGrant({ invoice, buys, boughtAt: createdAt, now }) }]
}

/** What a refund took back that did not go through. */
function givenAgain(grant: Grant, refundId: string, now: number): Entry[] {
  const taken = (grant.revocations ?? []).filter(({ key }) => key === refundId)
  return taken.map(({ amount }) => ({
    kind: 'granted',
    grant: {
      ...withRevocation(grant, { key: refundId, amount: negate(amount), at: now, reason: 'refund declined' }),
      isClosed: false,
    },
  }))
}

const NEVER_SENT: PaymentResult = { kind: 'declined', code: 'not_sent' }

/** A provider that said it was pending knows of it. */
function isUnheardOf({ status }: Payment | Refund, { kind }: StatusResult): boolean {
  return kind === 'none' && status !== 'pending'
}

function heardOf(result: StatusResult): PaymentResult {
  return result.kind === 'none' ? { kind: 'unknown' } : result
}

function countUnderWay(payment: Payment): number {
  return [payment, ...payment.refunds].filter(isUnderWay).length
}

function chargeInput({ id: key, customerId, paymentMethod, amount, invoiceId }: Payment) {
  return { customerId, paymentMethod, amount, invoiceId, key }
}

function refundInput({ id, customerId, invoiceId, reference }: Payment, { amount, id: key }: Refund) {
  return { payment: { id, customerId, invoiceId, reference }, amount, key }
}
