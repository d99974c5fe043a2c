/** How figures are written for the reader of an invoice: exact, in the way of the reader's language. */

import { displayMoney, type Money } from '../values/money.ts'
import { formatQuantity, QUANTITY_PLACES, type Quantity } from '../values/quantity.ts'

export interface Display {
  money(amount: Money): string
  /** An exact price in the main unit, with all of its places. */
  price(exact: string, currency: string): string
  /** An exact number, with all of its places. */
  number(exact: string): string
  quantity(quantity: Quantity): string
  day(instant: number): string
  /** The days of [start, end), the first and the last of them. */
  days(period: readonly [start: number, end: number]): string
}

export function createDisplay(locale: string, timeZone: string): Display {
  const dates = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeZone })
  const numbers = new Intl.NumberFormat(locale, { maximumFractionDigits: QUANTITY_PLACES })
  return {
    money: (amount) => displayMoney(amount, locale),
    price: (exact, currency) => exactly(exact, { style: 'currency', currency }),
    number: (exact) => exactly(exact, {}),
    quantity: (quantity) => numbers.format(formatQuantity(quantity) as Intl.StringNumericLiteral),
    day: (instant) => dates.format(instant),
    days: ([start, end]) => dates.formatRange(start, Math.max(start, end - 1)),
  }

  function exactly(exact: string, style: Intl.NumberFormatOptions): string {
    const places = exact.split('.')[1]?.length ?? 0
    const format = new Intl.NumberFormat(locale, { ...style, minimumFractionDigits: places, maximumFractionDigits: places })
    // Given as text: a number would lose what does not fit into a double.
    return format.format(exact as Intl.StringNumericLiteral)
  }
}
