/** Who pays. */

import type { Decimal } from '../values/decimal.ts'

export interface Customer {
  /** The application's own id. */
  readonly id: string
  readonly name: string | null
  readonly email: string | null
  /** IANA name; days and periods are counted in it. */
  readonly timeZone: string
  readonly createdAt: number
  /** ISO 4217; what is billed. Absent: the catalog's own currency. Fixed by the first subscription. */
  readonly currency?: string
  /** ISO 3166-1 alpha-2, in capitals: where tax is due. */
  readonly country?: string
  /** VAT or other tax id, as printed. */
  readonly taxId?: string
  readonly isTaxExempt?: boolean
  /** The provider's name for the way to pay that is on file. */
  readonly paymentMethod?: string
  readonly autoTopUp?: AutoTopUp
  /** What automatic top-ups did; stays when they are turned off and on again. */
  readonly automaticTopUps?: AutomaticTopUps
}

/** Buys balance by itself when what is left falls below the threshold. Amounts in the main unit of the customer's currency, exact. */
export interface AutoTopUp {
  readonly threshold: Decimal
  readonly amount: Decimal
  /** Between two attempts at least, milliseconds. */
  readonly coolDownMs: number
  /** Of one calendar month in the customer's time zone, automatic top-ups together at most. */
  readonly monthlyCeiling: Decimal
}

export interface AutomaticTopUps {
  /** When the last attempt began, whatever became of it: epoch milliseconds. */
  readonly lastAt: number
  /** First instant of the month that `bought` is about. */
  readonly month: number
  /** What was bought in it and was not declined, exact. */
  readonly bought: Decimal
}

/** The members that a store keeps in columns of their own. */
type Column = 'id' | 'name' | 'email' | 'timeZone' | 'createdAt'

/** The rest as a store keeps it: JSON, or null when there is none. */
export function customerToDocument({
  id: _i,
  name: _n,
  email: _e,
  timeZone: _t,
  createdAt: _c,
  ...details
}: Customer): string | null {
  return Object.keys(details).length === 0 ? null : JSON.stringify(details, writeDecimal)
}

export function customerFromDocument(columns: Pick<Customer, Column>, document: string | null): Customer {
  return document === null ? columns : { ...columns, ...(JSON.parse(document, readDecimal) as Partial<Customer>) }
}

function writeDecimal(_name: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}n` : value
}

function readDecimal(name: string, value: unknown): unknown {
  return name === 'coefficient' && typeof value === 'string' ? BigInt(value.slice(0, -1)) : value
}
