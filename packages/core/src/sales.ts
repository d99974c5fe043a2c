/** What is sold at once: packs of credits and top-ups, each with the line that its invoice has. */

import type { CreditPack } from './catalog/credits.ts'
import type { InvoiceLine } from './records/invoice.ts'
import type { Sale } from './purchases.ts'
import { minorUnits } from './values/currency.ts'
import { type Decimal, formatDecimal, parseDecimal } from './values/decimal.ts'
import { derivedId, digestOf } from './values/id.ts'
import { formatMoney, type Money, toMoney } from './values/money.ts'
import { decimalToQuantity, ONE } from './values/quantity.ts'

export interface PackSaleInput {
  readonly customerId: string
  readonly code: string
  readonly key: string
  readonly packFor: (currency: string) => CreditPack
}

export function packSale({ customerId, code, key, packFor }: PackSaleInput): Sale {
  return {
    id: derivedId('pack', customerId, key),
    customerId,
    type: 'credit_purchase',
    request: { key, digest: digestOf('pack', code) },
    sells: (currency, at) => {
      const pack = packFor(currency)
      return { buys: { unit: 'credits', priority: pack.priority }, line: packLine(pack, currency, at) }
    },
  }
}

/** Its unit price is that of the whole pack, for as many credits as it has. */
function packLine({ code, name, price, credits }: CreditPack, currency: string, at: number): InvoiceLine {
  const quantity = decimalToQuantity(credits)
  return {
    id: `pack-${code}`,
    type: 'credit_pack',
    description: name,
    plan: null,
    feature: null,
    period: [at, at],
    quantity,
    included: 0n,
    billable: quantity,
    unitPrice: formatDecimal(price, minorUnits(currency)),
    per: quantity,
    amount: toMoney(price, currency, 'half_up'),
  }
}

export interface TopUpSaleInput {
  readonly customerId: string
  readonly key: string
  /** As it was given: tells one request from another. */
  readonly amount: string
  /** May throw. */
  readonly amountIn: (currency: string) => Money
}

export function topUpSale({ customerId, key, amount, amountIn }: TopUpSaleInput): Sale {
  // '25' and '25.00' are the same request.
  const parsed = typeof amount === 'string' ? parseDecimal(amount) : null
  const asked = parsed === null ? amount : formatDecimal(parsed)
  return {
    id: derivedId('topup', customerId, key),
    customerId,
    type: 'balance_top_up',
    request: { key, digest: digestOf('top_up', asked) },
    sells: (currency, at) => ({ buys: { unit: 'balance', priority: 0 }, line: topUpLine(amountIn(currency), at) }),
  }
}

/** One that nobody asked for: its id is drawn by whoever begins it. */
export function automaticSale(customerId: string, id: string, amount: Decimal): Sale {
  return {
    id,
    customerId,
    type: 'balance_top_up',
    request: { key: id, digest: digestOf('automatic_top_up', formatDecimal(amount)) },
    sells: (currency, at) => ({
      buys: { unit: 'balance', priority: 0 },
      line: topUpLine(toMoney(amount, currency, 'half_up'), at),
    }),
  }
}

function topUpLine(amount: Money, at: number): InvoiceLine {
  return {
    id: 'top_up',
    type: 'top_up',
    description: 'Balance top-up',
    plan: null,
    feature: null,
    period: [at, at],
    quantity: ONE,
    included: 0n,
    billable: ONE,
    unitPrice: formatMoney(amount),
    per: ONE,
    amount,
  }
}
