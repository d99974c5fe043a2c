import { expect, test } from 'vitest'
import { isCountry } from './country.ts'

const LETTERS = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ']
const KNOWN = LETTERS.flatMap((first) => LETTERS.map((second) => first + second)).filter(isCountry)

test('knows the 249 countries of ISO 3166-1, Northern Ireland and Kosovo', () => {
  expect(KNOWN).toHaveLength(251)
})

test('every one has a name, and is no old name of another', () => {
  const names = new Intl.DisplayNames(['en'], { type: 'region', fallback: 'none' })
  const nameless = KNOWN.filter((code) => names.of(code) === undefined)
  expect(nameless).toEqual(['XI'])
  expect(KNOWN.filter((code) => Intl.getCanonicalLocales(`und-${code}`)[0] !== `und-${code}`)).toEqual([])
})

test.each(['UK', 'EL', 'EU', 'de', 'DEU', '', 'D'])('takes no %s', (code) => {
  expect(isCountry(code)).toBe(false)
})
