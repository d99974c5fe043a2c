/** Tax rules with one fixed rate for each country and category. */

import type { TaxableLine, TaxInput, TaxOfLine, TaxParty, TaxRules } from '../../contracts/tax-rules.ts'
import { invalidOption, refuseUnknownOptions } from '../../options.ts'
import { isCountry } from '../../values/country.ts'
import { add, compare, type Decimal, DECIMAL_ZERO, formatDecimal, parseDecimal, toDecimal } from '../../values/decimal.ts'
import { partOfMoney, subtractMoney, zero } from '../../values/money.ts'

export interface FixedTaxRate {
  /** Where the buyer is: ISO 3166-1 alpha-2, in capitals. */
  readonly country: string
  /** What kind of thing it is for; absent: everything of which no rate of the country names the category. */
  readonly category?: string
  /** Per cent, as a decimal string from `'0'` to `'100'`. */
  readonly rate: string
  /** As printed; `Tax DE` by default. */
  readonly name?: string
  /** Whether prices contain the tax: then it is shown and not added. Default false. */
  readonly inclusive?: boolean
}

export interface FixedTaxOptions {
  /** A buyer whose country is not known is taxed as if in the seller's. */
  readonly seller: { readonly country: string }
  /** Where a country has no rate, nothing is taxed. */
  readonly rates: readonly FixedTaxRate[]
  /** A buyer with a tax id in one of these countries, the seller's own aside, owes the tax to their own authority. */
  readonly reverseCharge?: { readonly countries: readonly string[] }
}

interface Rate {
  readonly percent: Decimal
  readonly name: string
  readonly isInclusive: boolean
}

const WHERE = 'fixedTaxRates()'

const HUNDRED = toDecimal(100n)

/** No authority has a finer rate. */
const MAX_RATE_PLACES = 6

/**
 * The tax of a line is rounded once, half up. Money that is topped up and packs of credits are taxed only where a rate names
 * their category. An exempt buyer and a reverse charge leave the price as it is, whether it contains a tax or not. Throws
 * `invalid_option` for options that contradict themselves.
 */
export function fixedTaxRates(options: FixedTaxOptions): TaxRules {
  const { seller, rates, reverse } = checked(options)
  const categories = new Set([...rates.values()].flatMap((ofCountry) => [...ofCountry.keys()]))
  return { taxOf: ({ lines, buyer }: TaxInput) => new Map(lines.flatMap((line) => entryOf(line, buyer))) }

  function entryOf(line: TaxableLine, buyer: TaxParty): [string, TaxOfLine][] {
    const tax = line.amount.minor === 0n ? null : taxOf(line, buyer)
    return tax === null ? [] : [[line.id, tax]]
  }

  function taxOf(line: TaxableLine, buyer: TaxParty): TaxOfLine | null {
    const country = buyer.country ?? seller
    const ofCountry = rates.get(country)
    const isNamed = line.category !== null && categories.has(line.category)
    const isPrepayment = line.type === 'top_up' || line.type === 'credit_pack'
    if (isPrepayment && !isNamed) return null
    const rate = ofCountry?.get(line.category) ?? (isPrepayment ? undefined : ofCountry?.get(null))
    const isReverse = country !== seller && buyer.taxId !== undefined && buyer.taxId !== '' && reverse.has(country)
    if (isReverse) return untaxed(line, 'reverse_charge', rate?.name ?? defaultName(country))
    if (rate === undefined) return null
    return buyer.isTaxExempt === true ? untaxed(line, 'exempt', rate.name) : taxed(line, rate)
  }
}

function taxed({ amount: charged }: TaxableLine, { percent, name, isInclusive }: Rate): TaxOfLine {
  const whole = isInclusive ? add(HUNDRED, percent) : HUNDRED
  const amount = partOfMoney(charged, { part: percent, whole }, 'half_up')
  return {
    rate: formatDecimal(percent),
    treatment: isInclusive ? 'inclusive' : 'exclusive',
    taxable: isInclusive ? subtractMoney(charged, amount) : charged,
    name,
    amount,
  }
}

function untaxed({ amount }: TaxableLine, treatment: 'reverse_charge' | 'exempt', name: string): TaxOfLine {
  return { rate: '0', treatment, taxable: amount, name, amount: zero(amount.currency) }
}

function defaultName(country: string): string {
  return `Tax ${country}`
}

interface Checked {
  readonly seller: string
  /** By country, then by category; null is the usual category. */
  readonly rates: ReadonlyMap<string, ReadonlyMap<string | null, Rate>>
  readonly reverse: ReadonlySet<string>
}

function checked(options: FixedTaxOptions): Checked {
  refuseUnknownOptions(WHERE, options, ['seller', 'rates', 'reverseCharge'])
  const { rates, reverseCharge = { countries: [] } } = options
  const seller = members('seller', options.seller, ['country'])
  const { countries } = members('reverseCharge', reverseCharge, ['countries'])
  if (!Array.isArray(rates)) throw invalidOption(WHERE, 'rates', 'a list of rates', rates)
  if (!Array.isArray(countries)) throw invalidOption(WHERE, 'reverseCharge.countries', 'a list of countries', countries)
  return {
    seller: countryOf('seller.country', seller.country),
    rates: byCountry(rates as readonly FixedTaxRate[]),
    reverse: new Set(countries.map((country, index) => countryOf(`reverseCharge.countries[${index}]`, country))),
  }
}

function byCountry(rates: readonly FixedTaxRate[]): Checked['rates'] {
  const countries = new Map<string, Map<string | null, Rate>>()
  for (const [index, rate] of rates.entries()) {
    const place = `rates[${index}]`
    const { category = null } = members(place, rate, ['country', 'category', 'rate', 'name', 'inclusive'])
    const country = countryOf(`${place}.country`, rate.country)
    const ofCountry = countries.get(country) ?? new Map<string | null, Rate>()
    if (ofCountry.has(category)) throw invalidOption(WHERE, place, 'the only rate of its country and category', rate)
    countries.set(country, ofCountry.set(category, checkedRate(place, rate)))
  }
  return countries
}

/** The value, which is an object with none but these members. */
function members<T extends object>(place: string, value: T, names: readonly string[]): T {
  if (typeof value !== 'object' || value === null) throw invalidOption(WHERE, place, `an object of ${names.join(', ')}`, value)
  refuseUnknownOptions(`${WHERE} ${place}`, value, names)
  return value
}

function checkedRate(place: string, rate: FixedTaxRate): Rate {
  const percent = typeof rate.rate === 'string' ? parseDecimal(rate.rate, MAX_RATE_PLACES) : null
  if (percent === null || compare(percent, DECIMAL_ZERO) < 0 || compare(percent, HUNDRED) > 0)
    throw invalidOption(WHERE, `${place}.rate`, "per cent from '0' to '100', in quotes", rate.rate)
  for (const member of ['category', 'name'] as const) {
    const text: unknown = rate[member]
    if (text !== undefined && (typeof text !== 'string' || text === ''))
      throw invalidOption(WHERE, `${place}.${member}`, 'a text', text)
  }
  const inclusive: unknown = rate.inclusive ?? false
  if (typeof inclusive !== 'boolean') throw invalidOption(WHERE, `${place}.inclusive`, 'true or false', inclusive)
  return { percent, name: rate.name ?? defaultName(rate.country), isInclusive: inclusive }
}

function countryOf(name: string, country: unknown): string {
  if (typeof country === 'string' && isCountry(country)) return country
  throw invalidOption(WHERE, name, "an ISO 3166-1 code in capitals, such as 'DE' or 'GB'", country)
}
