import { describe, expect, test } from 'vitest'
import { refusalOf, sound, withValue } from '../../test/definitions.ts'
import { toDecimal } from '../values/decimal.ts'
import { defineCatalog, parseCatalog } from './define-catalog.ts'

describe('a credit pack', () => {
  test('has a price and credits, and is used after what expires sooner unless its priority says otherwise', () => {
    const catalog = defineCatalog(
      withValue('creditPacks', {
        small: { price: '9.99', credits: '100.5' },
        first: { name: 'First', price: '0', credits: 1, priority: 3 },
      }),
    )
    expect([...(catalog.offers.get('USD')?.creditPacks.values() ?? [])]).toEqual([
      { code: 'small', name: 'small', price: toDecimal(999n, 2), credits: toDecimal(1_005n, 1), priority: 0 },
      { code: 'first', name: 'First', price: toDecimal(0n), credits: toDecimal(1n), priority: 3 },
    ])
    expect(JSON.parse(catalog.document).creditPacks).toEqual({
      small: { name: 'small', price: '9.99', credits: '100.5' },
      first: { name: 'First', price: '0', credits: '1', priority: 3 },
    })
    expect(parseCatalog(catalog.document)).toEqual(catalog)
    expect(catalog.version).not.toBe(defineCatalog(sound()).version)
  })

  test.each<[pack: unknown, message: string, code?: string]>([
    [{ price: '5' }, 'creditPacks.small.credits is missing, but a number of credits was expected'],
    [
      { price: '5', credits: 0 },
      'creditPacks.small.credits is 0, but a number of credits above zero was expected: say how many the pack has',
    ],
    [{ price: '5', credits: '-1' }, "creditPacks.small.credits is '-1', but a number of credits was expected"],
    [{ credits: 5 }, 'creditPacks.small.price is missing', 'invalid_price'],
    [{ price: 5, credits: 5 }, 'creditPacks.small.price is 5', 'invalid_price'],
    [
      { price: '5', credits: 5, priority: -1 },
      'creditPacks.small.priority is -1, but a whole number from 0 to 1000 was expected',
    ],
    [{ price: '5', credits: 5, priority: 1_001 }, 'creditPacks.small.priority is 1001'],
    [
      { price: '5', credits: 5, expires: '1y' },
      "creditPacks.small.expires is '1y', but an option named name, price, credits or priority was expected",
    ],
  ])('%j is refused in one sentence', (pack, message, code = 'invalid_catalog') => {
    const refusal = refusalOf(withValue('creditPacks', { small: pack }))
    expect(refusal.message).toContain(message)
    expect(refusal.code).toBe(code)
    expect(refusal.message).not.toMatch(/\n|\.$/)
  })

  test('has a code like everything that is sold', () => {
    expect(refusalOf(withValue('creditPacks', { Small: { price: '1', credits: 1 } })).message).toContain(
      "A code in creditPacks is 'Small'",
    )
  })
})
