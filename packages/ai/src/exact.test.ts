/** Numbers as exact decimals, by a table and a law. */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { textOf } from '../test/cost.ts'
import { exactDecimal } from './exact.ts'

test.each([
  [0, '0'],
  [3, '3'],
  [0.1, '0.1'],
  [0.30000000000000004, '0.30000000000000004'],
  // Two prices of the list that a division made.
  [0.08333333333333334, '0.08333333333333334'],
  [0.18000000000000002, '0.18000000000000002'],
  [1e-7, '0.0000001'],
  [1.5e-7, '0.00000015'],
  [1.25e-10, '0.000000000125'],
  [123456789.125, '123456789.125'],
])('%d is %s', (number, text) => {
  const decimal = exactDecimal(number)
  expect(decimal && textOf(decimal)).toBe(text)
})

test.each([-1, Number.NaN, Number.POSITIVE_INFINITY, 1e21, 5e-324])('%d is no price', (number) => {
  expect(exactDecimal(number)).toBeNull()
})

test('a decimal is the text of its number: read as a number, it is the same again', () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-15, max: 1e15, noNaN: true }), (number) => {
      const decimal = exactDecimal(number)
      expect(decimal && Number(textOf(decimal))).toBe(number)
    }),
  )
})
