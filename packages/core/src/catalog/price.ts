/** Prices of metered usage: one shape per pricing model, as developers write them and as the engine reads them. */

import { DECIMAL_ZERO, type Decimal } from '../values/decimal.ts'
import { formatQuantity, type Quantity, type QuantityInput } from '../values/quantity.ts'
import { type Field, member, readList, readOptions, readPrice, readQuantity, readWord, refuse } from './definition.ts'

/** A price as a decimal string in the currency's main unit; where the catalog has several currencies, one for each. */
export type PriceInput = string | { readonly [currency: string]: string }

/** Each unit at one price. */
export interface PerUnitDefinition {
  readonly model: 'per_unit'
  /** Of one unit, as a decimal string in the currency's main unit. */
  readonly price: PriceInput
}

export interface TierDefinition {
  /** Where the tier begins; may be left out. When given it equals the `upTo` of the tier before (0 for the first). */
  readonly from?: QuantityInput
  /** The last unit of the tier, inclusive; the last tier has none. */
  readonly upTo?: QuantityInput
  /** Of one unit. */
  readonly price: PriceInput
  /** Billed once when the tier is entered (`graduated`) or reached (`volume`); that of the first tier also at zero usage. */
  readonly flat?: PriceInput
}

/** Each tier prices only the units that fall into it, counted from the first one beyond `included`. */
export interface GraduatedDefinition {
  readonly model: 'graduated'
  readonly tiers: readonly TierDefinition[]
}

/** All units beyond `included` at the price of the tier that their number falls into. More may cost less, just above a bound. */
export interface VolumeDefinition {
  readonly model: 'volume'
  readonly tiers: readonly TierDefinition[]
}

/** Per block of `size` units; a partial block is a whole one. */
export interface PackageDefinition {
  readonly model: 'package'
  readonly size: QuantityInput
  /** Of one block. */
  readonly price: PriceInput
}

/** One fee of a usage period, however much is used beyond `included`; none when nothing is. */
export interface FlatDefinition {
  readonly model: 'flat'
  readonly price: PriceInput
}

export type PriceDefinition = PerUnitDefinition | GraduatedDefinition | VolumeDefinition | PackageDefinition | FlatDefinition

export interface PerUnitPrice {
  readonly model: 'per_unit'
  readonly unitPrice: Decimal
}

export interface Tier {
  /** The last unit of the tier, inclusive. */
  readonly upTo: Quantity | 'unbounded'
  readonly unitPrice: Decimal
  /** Billed once when the tier is entered or reached; zero where there is none. */
  readonly flat: Decimal
}

export interface GraduatedPrice {
  readonly model: 'graduated'
  /** Never empty; bounds grow, and only the last tier is unbounded. */
  readonly tiers: readonly Tier[]
}

export interface VolumePrice {
  readonly model: 'volume'
  /** As those of a graduated price. */
  readonly tiers: readonly Tier[]
}

export interface PackagePrice {
  readonly model: 'package'
  /** Units in one block, more than zero. */
  readonly size: Quantity
  /** Of one block. */
  readonly packagePrice: Decimal
}

export interface FlatPrice {
  readonly model: 'flat'
  /** Of a usage period in which anything is priced. */
  readonly fee: Decimal
}

/** A price as the engine reads it. */
export type Price = PerUnitPrice | GraduatedPrice | VolumePrice | PackagePrice | FlatPrice

/** More tiers than any price list has. */
const MAX_TIERS = 100

/** Reads a price of usage. */
export function readUsagePrice(field: Field): Price {
  const fix = "write { model: 'per_unit', price: '0.25' } or one of the others"
  const { value } = field
  const isRecord = typeof value === 'object' && value !== null
  if (!isRecord) refuse(field, { expected: "'block' or a price", fix: "write 'block', or { model: 'per_unit', price: '0.25' }" })
  const model = readWord(member(field, 'model'), ['per_unit', 'graduated', 'volume', 'package', 'flat'], fix)
  switch (model) {
    case 'per_unit':
      return { model, unitPrice: readPrice(readOptions(field, ['model', 'price'])('price')) }
    case 'graduated':
    case 'volume':
      return { model, tiers: readTiers(readOptions(field, ['model', 'tiers'])('tiers')) }
    case 'package':
      return readPackage(field)
    case 'flat':
      return { model, fee: readPrice(readOptions(field, ['model', 'price'])('price')) }
  }
}

function readPackage(field: Field): PackagePrice {
  const option = readOptions(field, ['model', 'size', 'price'])
  const expected = 'a number of units above zero'
  const size = readQuantity(option('size'), expected)
  if (size === 0n) refuse(option('size'), { expected, fix: 'give the units that one block holds' })
  return { model: 'package', size, packagePrice: readPrice(option('price')) }
}

function readTiers(field: Field): Tier[] {
  const items = readList(field, MAX_TIERS)
  const tiers: Tier[] = []
  let start: Quantity = 0n
  for (const [index, item] of items.entries()) {
    const tier = readTier(item, { start, isLast: index === items.length - 1 })
    if (tier.upTo !== 'unbounded') start = tier.upTo
    tiers.push(tier)
  }
  return tiers
}

/** Reads a tier that begins after the unit `start`. */
function readTier(field: Field, { start, isLast }: { readonly start: Quantity; readonly isLast: boolean }): Tier {
  const option = readOptions(field, ['from', 'upTo', 'price', 'flat'])
  checkFrom(option('from'), start)
  return {
    upTo: readUpTo(option('upTo'), { start, isLast }),
    unitPrice: readPrice(option('price')),
    flat: option('flat').value === undefined ? DECIMAL_ZERO : readPrice(option('flat')),
  }
}

function checkFrom(field: Field, start: Quantity): void {
  if (field.value === undefined) return
  const expected = `${formatQuantity(start)}, where the tier before it ends (0 for the first),`
  const from = readQuantity(field, expected)
  if (from > start) refuse(field, { expected, fix: 'close the gap between the tiers, or leave from out' })
  if (from < start) refuse(field, { expected, fix: 'remove the overlap of the tiers, or leave from out' })
}

function readUpTo(
  field: Field,
  { start, isLast }: { readonly start: Quantity; readonly isLast: boolean },
): Quantity | 'unbounded' {
  if (isLast) {
    if (field.value === undefined) return 'unbounded'
    return refuse(field, {
      expected: 'no upTo on the last tier',
      fix: 'remove it, or add a tier without one, so that every unit has a price',
    })
  }
  const expected = `a bound above ${formatQuantity(start)}, where the tier before it ends,`
  if (field.value === undefined) refuse(field, { expected, fix: 'give one: only the last tier is unbounded' })
  const upTo = readQuantity(field, expected)
  if (upTo <= start) refuse(field, { expected, fix: 'sort the tiers by upTo, each bound once' })
  return upTo
}
