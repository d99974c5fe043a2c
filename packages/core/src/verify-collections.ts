/** Compares invoices with the payments, credit notes and grants that belong to them, and names what does not add up. Pure. */

import { type Collection, creditedOf, dueOf, paidOf, purchasedGrantId, refundedOf } from './account/collection.ts'
import { isPurchase, purchasedGrant } from './account/purchase.ts'
import type { Grant } from './records/grant.ts'
import type { Invoice } from './records/invoice.ts'
import { isUnderWay, type Payment, refundedOrUnderWay } from './records/payment.ts'
import { add, compare, type Decimal, DECIMAL_ZERO, formatDecimal, subtract } from './values/decimal.ts'
import { addMoney, formatMoney, moneyToDecimal, subtractMoney, sumMoney, toMoney, zero } from './values/money.ts'
import type { Difference } from './verify.ts'

/** All of it, in any order. */
export interface CollectionBooks {
  /** Final ones. */
  readonly invoices: readonly Invoice[]
  readonly payments: readonly Payment[]
  readonly grants: readonly { readonly customerId: string; readonly grant: Grant }[]
}

export function compareCollections({ invoices, payments, grants }: CollectionBooks): Difference[] {
  const known = new Set(invoices.map(({ id }) => id))
  const ofInvoice = Map.groupBy(payments, ({ invoiceId }) => invoiceId)
  const notesOf = Map.groupBy(invoices, ({ corrects }) => corrects)
  const grantById = new Map(grants.map(({ customerId, grant }) => [`${customerId}\n${grant.id}`, grant]))
  const found = (customerId: string, id: string): Grant | null => grantById.get(`${customerId}\n${id}`) ?? null
  const differences: Difference[] = []
  for (const invoice of invoices) {
    if (invoice.type === 'credit_note') continue
    const { currency, customerId, id } = invoice
    const creditNotes = notesOf.get(id)?.filter(({ type }) => type === 'credit_note') ?? []
    const keptBy = creditNotes.map((note) => {
      const kept = found(customerId, `credit-${note.id}`)
      return kept === null ? zero(currency) : toMoney(kept.granted, currency, 'half_up')
    })
    const grant = found(customerId, purchasedGrantId(id))
    const own = ofInvoice.get(id) ?? []
    const collection = { invoice, payments: own, creditNotes, keptBy, kept: sumMoney(keptBy, currency), grant }
    differences.push(...compareMoney(collection), ...comparePurchase(collection))
  }
  for (const payment of payments) differences.push(...comparePayment(payment, known))
  for (const { customerId, grant } of grants) differences.push(...compareGrant(customerId, grant))
  return [...differences, ...compareInvoiceCredit(invoices, grants)]
}

/** What came in, went back, was taken back and is left. */
function compareMoney(collection: Collection): Difference[] {
  const { invoice, kept, payments } = collection
  const { status, total, creditApplied, currency } = invoice
  const [paid, refunded, credited, due] = [paidOf, refundedOf, creditedOf, dueOf].map((sum) => sum(collection)) as [
    Paid,
    Paid,
    Paid,
    Paid,
  ]
  const came = addMoney(paid, creditApplied)
  const back = addMoney(refunded, kept)
  const problems: string[] = []
  if (payments.filter(isUnderWay).length > 1) problems.push('more than one payment of it is under way')
  if (back.minor > came.minor && status !== 'void')
    problems.push(`${formatMoney(back)} of it went back, of ${formatMoney(came)} that came in`)
  if (credited.minor > (total.minor > 0n ? total.minor : 0n))
    problems.push(`credit notes take back ${formatMoney(credited)} of ${formatMoney(total)}`)
  if (status === 'paid' && due.minor > 0n) problems.push(`it is paid, and ${formatMoney(due)} are due`)
  if (status === 'open' && due.minor === 0n) problems.push('it is open, and nothing is due')
  if (status === 'void' && paid.minor > 0n) problems.push(`it is void, and ${formatMoney(paid)} were paid`)
  const beyond = subtractMoney(addMoney(came, credited), addMoney(total.minor > 0n ? total : zero(currency), back))
  if (status === 'paid' && refunded.minor === 0n && beyond.minor > 0n)
    problems.push(`${formatMoney(beyond)} more came in than it asks for, and did not go back`)
  return problems.map((problem) =>
    differing('invoice', invoice.customerId, `Invoice ${invoice.number ?? invoice.id} of ${invoice.customerId}: ${problem}`),
  )
}

type Paid = ReturnType<typeof paidOf>

/** What was bought is there when it was paid, and not before. */
function comparePurchase({ invoice, grant }: Collection): Difference[] {
  const { id, number, customerId, status } = invoice
  const isBought = isPurchase(invoice) && status === 'paid'
  const where = `Invoice ${number ?? id} of ${customerId}`
  if (!isBought) {
    return grant === null ? [] : [differing('grant', customerId, `${where}: it is ${status}, and its grant ${grant.id} is there`)]
  }
  if (grant === null) return [differing('grant', customerId, `${where}: it is paid, and what it sold was not granted`)]
  const { unit, priority, createdAt } = grant
  const sold =
    unit === 'invoice_credit'
      ? DECIMAL_ZERO
      : purchasedGrant({ invoice, buys: { unit, priority }, boughtAt: createdAt, now: createdAt }).granted
  if (compare(sold, grant.granted) === 0) return []
  return [
    differing('grant', customerId, `${where}: it sold ${formatDecimal(sold)}, the grant has ${formatDecimal(grant.granted)}`),
  ]
}

function comparePayment(payment: Payment, known: ReadonlySet<string>): Difference[] {
  const { id, customerId, invoiceId, amount, refunds, refunded } = payment
  const where = `Payment ${id} of ${customerId}`
  const problems: string[] = []
  if (!known.has(invoiceId)) problems.push(`its invoice ${invoiceId} is no final one`)
  const sum = sumMoney(
    refunds.filter(({ status }) => status === 'succeeded').map((refund) => refund.amount),
    amount.currency,
  )
  if (sum.minor !== refunded.minor) problems.push(`its refunds are ${formatMoney(sum)}, it says ${formatMoney(refunded)}`)
  if (refundedOrUnderWay(payment).minor > amount.minor) problems.push('more goes back than came in')
  return problems.map((problem) => differing('payment', customerId, `${where}: ${problem}`))
}

/** Of each grant: what was taken back is the sum of the times it was, and nothing of it is paid twice. */
function compareGrant(customerId: string, { id, granted, used, revoked, revocations = [] }: Grant): Difference[] {
  const sum = revocations.reduce((all, { amount }) => add(all, amount), DECIMAL_ZERO)
  const problems: string[] = []
  if (compare(sum, revoked) !== 0) problems.push(`its revocations are ${formatDecimal(sum)}, it says ${formatDecimal(revoked)}`)
  if (compare(add(used, revoked), granted) > 0)
    problems.push(`${formatDecimal(used)} were used and ${formatDecimal(revoked)} taken back of ${formatDecimal(granted)}`)
  return problems.map((problem) => differing('grant', customerId, `Grant ${id} of ${customerId}: ${problem}`))
}

/** What invoices drew of a customer's invoice credit is what its grants say was used. */
function compareInvoiceCredit(invoices: CollectionBooks['invoices'], grants: CollectionBooks['grants']): Difference[] {
  const sums = new Map<string, Decimal>()
  const count = (customerId: string, amount: Decimal): void =>
    void sums.set(customerId, add(sums.get(customerId) ?? DECIMAL_ZERO, amount))
  for (const { customerId, creditApplied } of invoices) count(customerId, moneyToDecimal(creditApplied))
  for (const { customerId, grant } of grants)
    if (grant.unit === 'invoice_credit') count(customerId, subtract(DECIMAL_ZERO, grant.used))
  return [...sums]
    .filter(([, difference]) => difference.coefficient !== 0n)
    .map(([customerId, difference]) =>
      differing(
        'grant',
        customerId,
        `Invoices of ${customerId} drew ${formatDecimal(difference)} more invoice credit than its grants say was used`,
      ),
    )
}

function differing(kind: Difference['kind'], customerId: string, message: string): Difference {
  return { kind, customerId, message, events: [] }
}
