/** Invoices of anything: what was sold beside plans and usage. */

import type { AccountState, Entry } from './account/account-state.ts'
import { currencyOf, withCurrency } from './account/opening.ts'
import { findInvoice } from './collections.ts'
import type { Change, Store } from './contracts/store.ts'
import { creditEntries, type DraftingParts, invoiceCredit, taxOfInvoice } from './draft-of-moment.ts'
import { checkCustomer } from './granting.ts'
import { buildInvoice } from './invoice/build-invoice.ts'
import { finalize } from './invoice/transition.ts'
import { invalidOption } from './options.ts'
import { refuseOtherRequest } from './purchases.ts'
import type { Invoice, InvoiceLine, InvoiceRequest } from './records/invoice.ts'
import { checkKey } from './usage.ts'
import { parseAmount } from './values/amount.ts'
import type { Clock } from './values/clock.ts'
import { derivedId, digestOf } from './values/id.ts'
import { formatMoney, type Money } from './values/money.ts'
import { ONE } from './values/quantity.ts'

export interface OneOffInput {
  customerId: string
  /** 1 to 100, in the order in which they are printed. */
  lines: readonly {
    /** As printed: up to 500 characters. */
    readonly description: string
    /** More than nothing, without taxes that come on top: a decimal string in the main unit of the customer's currency. */
    readonly amount: string
  }[]
  /** One invoice for each key, however often it is asked for: give the same one when you retry. */
  idempotencyKey: string
}

export interface OneOffParts extends DraftingParts {
  readonly store: Store
  readonly clock: Clock
  /** The catalog's own currency. */
  readonly currency: string
  /** Series of the invoice numbers. */
  readonly series: string
  readonly ready: Promise<void>
}

const MAX_LINES = 100
const MAX_DESCRIPTION = 500

/** Makes an open invoice with taxes on its lines, of which invoice credit pays what it can; `invoices.pay()` charges the rest. */
export function createOneOffInvoices(parts: OneOffParts): (input: OneOffInput) => Promise<Invoice> {
  const { store, clock, series, ready } = parts
  return async (input) => {
    checkInput(input)
    await ready
    const { customerId, idempotencyKey: key } = input
    const id = derivedId('oneoff', customerId, key)
    const asked = input.lines.flatMap(({ description, amount }) => [description, amount])
    const request = { key, digest: digestOf('one_off', ...asked) }
    await store.change({ customerId, invoices: [id], inOrder: true }, (state): Change<void> => {
      const known = state.invoices.get(id)
      if (known === undefined) return { result: undefined, entries: make(state, { id, input, request }) }
      refuseOtherRequest(known, request)
      return { result: undefined, entries: [] }
    })
    return findInvoice(store, id)
  }

  function make(state: AccountState, { id, input, request }: Making): Entry[] {
    const now = clock.now()
    const currency = currencyOf(state, parts.currency)
    const draft = buildInvoice({
      id,
      type: 'one_off',
      customerId: input.customerId,
      subscriptionId: null,
      currency,
      period: [now, now],
      issuedAt: now,
      lines: input.lines.map(({ description, amount }, index) =>
        oneOffLine({ index, description, amount: parseAmount(amount, currency, 'amount'), now }),
      ),
      discounts: [],
      taxOf: taxOfInvoice(parts, state, now),
      credit: invoiceCredit(state, currency, now),
      request,
    })
    const invoice = finalize(draft, now)
    return [
      ...withCurrency(state, now, currency).entries,
      { kind: 'drafted', invoice: draft },
      { kind: 'finalized', invoice, series, sealed: [] },
      ...creditEntries(state, invoice),
    ]
  }
}

interface Making {
  readonly id: string
  readonly input: OneOffInput
  readonly request: InvoiceRequest
}

interface LineInput {
  readonly index: number
  readonly description: string
  readonly amount: Money
  readonly now: number
}

function oneOffLine({ index, description, amount, now }: LineInput): InvoiceLine {
  return {
    id: `one_off-${index + 1}`,
    type: 'one_off',
    description,
    plan: null,
    feature: null,
    period: [now, now],
    quantity: ONE,
    included: 0n,
    billable: ONE,
    unitPrice: formatMoney(amount),
    per: ONE,
    amount,
  }
}

function checkInput({ customerId, lines, idempotencyKey }: OneOffInput): void {
  const where = 'invoices.createOneOff()'
  checkCustomer(customerId)
  checkKey(idempotencyKey)
  if (!(Array.isArray(lines) && lines.length > 0 && lines.length <= MAX_LINES))
    throw invalidOption(where, 'lines', `a list of 1 to ${MAX_LINES} lines`, lines)
  for (const line of lines as OneOffInput['lines']) {
    const text: unknown = line?.description
    const isText = typeof text === 'string' && text !== '' && text.length <= MAX_DESCRIPTION && text.isWellFormed()
    if (!isText) throw invalidOption(where, 'description', `a text of 1 to ${MAX_DESCRIPTION} characters`, text)
  }
}
