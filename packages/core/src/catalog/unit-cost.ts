/** What a unit takes from a prepaid balance: a fixed price, or the prices of an AI model's tokens with a margin. */

import { type Decimal, decimal, parseDecimal, toDecimal } from '../values/decimal.ts'
import { type Field, member, readOptions, readPrice, readWhole, readWord, refuse } from './definition.ts'
import type { PriceInput } from './price.ts'

/** Each unit at one price. */
export interface FixedCostDefinition {
  readonly model: 'fixed'
  readonly price: PriceInput
}

/** Each token at the price of its model on that day, and a margin. */
export interface AiModelCostDefinition {
  readonly model: 'ai_model'
  /** Per cent that is added, as a decimal string: `'20'`. Default none. */
  readonly margin?: string
  /** The same in basis points: 2000 are 20 per cent. */
  readonly marginBasisPoints?: number
}

export type UnitCostDefinition = FixedCostDefinition | AiModelCostDefinition

/** As the engine reads it. */
export type UnitCost =
  | { readonly model: 'fixed'; readonly unitPrice: Decimal }
  /** `margin` is in per cent. */
  | { readonly model: 'ai_model'; readonly margin: Decimal }

/** A thousand times the provider's price. */
const MAX_MARGIN_PER_CENT = 100_000
const BASIS_POINTS_PER_CENT_PLACES = 2

export function readUnitCost(field: Field): UnitCost {
  const { value } = field
  if (typeof value !== 'object' || value === null)
    refuse(field, { expected: 'a price', fix: "write { model: 'fixed', price: '0.01' } or { model: 'ai_model', margin: '20' }" })
  const model = readWord(member(field, 'model'), ['fixed', 'ai_model'], "write 'fixed' or 'ai_model'")
  if (model === 'fixed') return { model, unitPrice: readPrice(readOptions(field, ['model', 'price'])('price')) }
  const option = readOptions(field, ['model', 'margin', 'marginBasisPoints'])
  return { model, margin: readMargin(option('margin'), option('marginBasisPoints')) }
}

function readMargin(perCent: Field, basisPoints: Field): Decimal {
  if (perCent.value !== undefined && basisPoints.value !== undefined)
    refuse(basisPoints, { expected: 'one margin', fix: 'remove margin or marginBasisPoints' })
  if (basisPoints.value !== undefined) {
    const points = readWhole(basisPoints, { least: 0, most: MAX_MARGIN_PER_CENT * 100 })
    return toDecimal(BigInt(points), BASIS_POINTS_PER_CENT_PLACES)
  }
  if (perCent.value === undefined) return decimal('0')
  const margin = typeof perCent.value === 'string' ? parseDecimal(perCent.value) : null
  if (
    margin === null ||
    margin.coefficient < 0n ||
    margin.coefficient > BigInt(MAX_MARGIN_PER_CENT) * 10n ** BigInt(margin.scale)
  )
    return refuse(perCent, {
      expected: `per cent as a decimal string from '0' to '${MAX_MARGIN_PER_CENT}'`,
      fix: "write it in quotes, such as '20'",
    })
  return margin
}
