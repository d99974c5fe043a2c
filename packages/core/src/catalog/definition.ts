/** Reading what a developer wrote: each value with the path that leads to it, so that a refusal names the place. */

import { type ErrorCode, FareboxError } from '../errors.ts'
import { compare, type Decimal, isZero, parseDecimal, toDecimal, MAX_PRICE_PLACES } from '../values/decimal.ts'
import { parseQuantity, type Quantity, type QuantityInput } from '../values/quantity.ts'

/** A value of the definition and where it stands, such as `plans.pro.price`. */
export interface Field {
  readonly path: string
  readonly value: unknown
  /** The currency whose prices are read, where the catalog has more than one. */
  readonly currency?: FieldCurrency
}

export interface FieldCurrency {
  /** The one that is read. */
  readonly code: string
  /** All of the catalog, its main one first. */
  readonly all: readonly string[]
}

export interface RefuseOptions {
  /** What would have been right, as a noun phrase. */
  readonly expected: string
  /** What to do, in the imperative. */
  readonly fix: string
  readonly code?: ErrorCode
}

/** Refuses a value in one sentence: the path, the value, what was expected, the fix. */
export function refuse(field: Field, { expected, fix, code = 'invalid_catalog' }: RefuseOptions): never {
  throw new FareboxError(code, `${field.path || 'The catalog'} is ${shown(field.value)}, but ${expected} was expected: ${fix}`, {
    fields: { path: field.path, value: field.value, expected },
  })
}

/** A member of a record that was read by `readOptions` or stands under a known name. */
export function member(field: Field, name: string): Field {
  return {
    ...field,
    path: field.path === '' ? name : `${field.path}.${name}`,
    value: (field.value as Readonly<Record<string, unknown>>)[name],
  }
}

/** Takes an object with these options only: a misspelt name is never silently ignored. */
export function readOptions(field: Field, names: readonly string[]): (name: string) => Field {
  for (const name of ownNames(field)) {
    if (names.includes(name)) continue
    refuse(member(field, name), {
      expected: `an option named ${listed(names)}`,
      fix: `fix the spelling of '${name}' or remove it`,
    })
  }
  return (name) =>
    Object.hasOwn(field.value as object, name) ? member(field, name) : { ...member(field, name), value: undefined }
}

/** A catalog of more entries is a mistake: they are read at every start and listed to customers. */
const MAX_ENTRIES = 1_000

const CODE = /^[a-z][a-z0-9_]{0,63}$/

/** Names that every object answers to: a record keyed by codes must not confuse them with its own. */
const RESERVED_CODES: readonly string[] = ['constructor', 'prototype', '__proto__']

/** Takes an object keyed by codes of the developer's choice, in the order in which they were written. */
export function readEntries(field: Field): [code: string, entry: Field][] {
  const codes = ownNames(field)
  if (codes.length === 0) refuse(field, { expected: 'at least one entry', fix: 'add one' })
  if (codes.length > MAX_ENTRIES)
    refuse({ ...field, value: codes.length }, { expected: `at most ${MAX_ENTRIES} entries`, fix: 'remove some' })
  for (const code of codes) {
    if (CODE.test(code) && !RESERVED_CODES.includes(code)) continue
    refuse(
      { path: `A code in ${field.path}`, value: code },
      {
        expected: 'a code of 1 to 64 lower-case letters, digits and underscores that begins with a letter',
        fix: `rename it, such as 'api_calls'`,
      },
    )
  }
  return codes.map((code) => [code, member(field, code)])
}

/** Takes a list; the path of an item ends in its index. */
export function readList(field: Field, maxItems: number): Field[] {
  const { path, value } = field
  if (!Array.isArray(value) || value.length === 0 || value.length > maxItems) {
    refuse(field, { expected: `a list of 1 to ${maxItems} entries`, fix: 'write them in square brackets' })
  }
  return value.map((item: unknown, index) => ({ ...field, path: `${path}[${index}]`, value: item }))
}

/** Takes one of these words; `fix` says what to do about any other. */
export function readWord<const W extends string>(field: Field, words: readonly W[], fix: string): W {
  const word = words.find((candidate) => candidate === field.value)
  return word ?? refuse(field, { expected: listed(words.map((candidate) => `'${candidate}'`)), fix })
}

/** Takes true, false or nothing. */
export function readFlag(field: Field): boolean | null {
  if (field.value === undefined) return null
  return typeof field.value === 'boolean'
    ? field.value
    : refuse(field, { expected: 'true or false', fix: 'write it without quotes' })
}

/** A name is printed on invoices. */
const MAX_NAME_LENGTH = 200

/** Takes a text of 1 to 200 characters, or nothing. */
export function readName(field: Field): string | null {
  const { value } = field
  if (value === undefined) return null
  if (typeof value === 'string' && value.trim() !== '' && value.length <= MAX_NAME_LENGTH) return value
  return refuse(field, { expected: `a text of 1 to ${MAX_NAME_LENGTH} characters`, fix: 'shorten it, or leave it out' })
}

/** 10^12 of the main unit: enough for any currency, and in minor units far below what 64 bits hold. */
const MAX_PRICE: Decimal = toDecimal(1_000_000_000_000n)

/**
 * Takes a price: a plain decimal string from 0 to 10^12 with at most 12 decimals; where the catalog has several currencies, one for
 * each. Refuses with `invalid_price`.
 */
export function readPrice(whole: Field): Decimal {
  const field = ofCurrency(whole)
  const { value } = field
  const expected = `a decimal string from '0' to '1000000000000' with at most ${MAX_PRICE_PLACES} decimals`
  if (typeof value === 'number' || typeof value === 'bigint') {
    refuse(field, { expected, fix: `prices are never floats, so write it in quotes, such as '${value}'`, code: 'invalid_price' })
  }
  const price = typeof value === 'string' ? parseDecimal(value) : null
  if (price === null) refuse(field, { expected, fix: "write a plain decimal such as '0.25'", code: 'invalid_price' })
  if (price.coefficient < 0n)
    refuse(field, { expected, fix: 'remove the minus: a price is never negative', code: 'invalid_price' })
  if (compare(price, MAX_PRICE) > 0) refuse(field, { expected, fix: 'lower it', code: 'invalid_price' })
  return price
}

/** The price in the currency that is read. Zero is zero in every currency. */
function ofCurrency(field: Field): Field {
  const { value, currency } = field
  if (currency === undefined) return field
  const { code, all } = currency
  if (typeof value === 'object' && value !== null) return readOptions(field, all)(code)
  if (all.length === 1 || isZeroText(value)) return field
  return refuse(field, {
    expected: `a price for each of the currencies ${listed(all)}`,
    fix: `write { ${all.map((one) => `${one}: '…'`).join(', ')} }`,
    code: 'invalid_price',
  })
}

function isZeroText(value: unknown): boolean {
  const price = typeof value === 'string' ? parseDecimal(value) : null
  return price !== null && isZero(price)
}

/** Takes a whole number within bounds. */
export function readWhole(field: Field, { least, most }: { readonly least: number; readonly most: number }): number {
  const { value } = field
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= most) return value
  return refuse(field, { expected: `a whole number from ${least} to ${most}`, fix: 'write it without quotes' })
}

/** Takes a quantity of units from 0 to 10^9 with at most six decimals. */
export function readQuantity(field: Field, expected: string): Quantity {
  try {
    return parseQuantity(field.value as QuantityInput, field.path)
  } catch {
    return refuse(field, {
      expected,
      fix: 'give a number, or a decimal string such as "0.5", of 0 to 1000000000 with at most six decimals',
    })
  }
}

/** The value as it stands in a message. */
function shown(value: unknown): string {
  if (value === undefined) return 'missing'
  if (typeof value === 'string') return `'${value.length > 60 ? `${value.slice(0, 60)}…` : value}'`
  if (typeof value === 'bigint') return `${value}n`
  if (Array.isArray(value)) return `a list of ${value.length}`
  return value === null || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : `${typeof value === 'object' ? 'an' : 'a'} ${typeof value}`
}

/** `a, b or c`. */
export function listed(words: readonly string[]): string {
  const last = words.at(-1) ?? ''
  return words.length < 2 ? last : `${words.slice(0, -1).join(', ')} or ${last}`
}

/** Own enumerable names only: what an object inherits was not written by the developer. */
function ownNames(field: Field): string[] {
  const { value } = field
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    refuse(field, { expected: 'an object', fix: 'write it in braces' })
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
    refuse(field, { expected: 'a plain object', fix: 'write an object literal without __proto__, not an instance of a class' })
  }
  return Object.keys(value)
}
