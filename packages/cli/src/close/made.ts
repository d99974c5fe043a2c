/** What a closing made: sums and numbers, and none of the invoices. */

import { amountDue, type Invoice, type Money } from '@farebox/core'

export interface MadeTotal {
  readonly currency: string
  readonly invoices: number
  readonly total: Money
  /** What is left to pay, after invoice credit. */
  readonly due: Money
}

export interface Made {
  add(invoice: Invoice): void
  count(): number
  /** The first number and the last; null where none was given. */
  first(): string | null
  last(): string | null
  totals(): MadeTotal[]
}

export function createMade(): Made {
  const totals = new Map<string, MadeTotal>()
  let [count, first, last]: [number, string | null, string | null] = [0, null, null]
  return {
    add(invoice) {
      const { currency, number, total } = invoice
      const due = amountDue(invoice)
      const before = totals.get(currency)
      totals.set(
        currency,
        before === undefined
          ? { currency, invoices: 1, total, due }
          : { currency, invoices: before.invoices + 1, total: plus(before.total, total), due: plus(before.due, due) },
      )
      count += 1
      first ??= number
      last = number
    },
    count: () => count,
    first: () => first,
    last: () => last,
    totals: () => [...totals.values()],
  }
}

function plus(a: Money, b: Money): Money {
  return { minor: a.minor + b.minor, currency: a.currency }
}
