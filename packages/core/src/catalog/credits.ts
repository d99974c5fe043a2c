/** Credits: how they are written, and the packs in which they are bought. */

import { type Decimal, isZero } from '../values/decimal.ts'
import { quantityToDecimal, type QuantityInput } from '../values/quantity.ts'
import { type Field, readEntries, readName, readOptions, readPrice, readQuantity, readWhole, refuse } from './definition.ts'
import type { PriceInput } from './price.ts'

/** Credits that are bought at once and never expire. */
export interface CreditPackDefinition {
  /** Printed on invoices; the code when absent. */
  readonly name?: string
  readonly price: PriceInput
  readonly credits: QuantityInput
  /** The lower is used first, whatever expires sooner. Default 0, which the plan's credits have too. */
  readonly priority?: number
}

export interface CreditPack {
  readonly code: string
  readonly name: string
  /** In the currency's main unit. */
  readonly price: Decimal
  readonly credits: Decimal
  readonly priority: number
}

const MAX_PRIORITY = 1_000

/** Reads the packs in the order in which they were written; none where the field is absent. */
export function readCreditPacks(field: Field): Map<string, CreditPack> {
  if (field.value === undefined) return new Map()
  return new Map(readEntries(field).map(([code, entry]) => [code, readPack(code, entry)]))
}

/** A number of credits: up to six decimal places, as quantities have. */
export function readCredits(field: Field): Decimal {
  return quantityToDecimal(readQuantity(field, 'a number of credits'))
}

function readPack(code: string, field: Field): CreditPack {
  const option = readOptions(field, ['name', 'price', 'credits', 'priority'])
  const credits = readCredits(option('credits'))
  if (isZero(credits)) refuse(option('credits'), { expected: 'a number of credits above zero', fix: 'say how many the pack has' })
  return {
    code,
    name: readName(option('name')) ?? code,
    price: readPrice(option('price')),
    credits,
    priority: option('priority').value === undefined ? 0 : readWhole(option('priority'), { least: 0, most: MAX_PRIORITY }),
  }
}
