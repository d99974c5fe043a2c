import { expect, test } from 'vitest'
import { createKeySource, randomId, randomSecret } from './id.ts'

test('an identifier carries its prefix and is never given twice', () => {
  expect(randomId('sub')).toMatch(/^sub_[0-9a-f]{32}$/)
  expect(new Set(Array.from({ length: 1_000 }, () => randomId('x'))).size).toBe(1_000)
})

test('keys of one source and of two sources are all different', () => {
  const [first, second] = [createKeySource(), createKeySource()]
  const keys = Array.from({ length: 1_000 }, () => [first(), second()]).flat()
  expect(new Set(keys).size).toBe(2_000)
  expect(keys.every((key) => /^[A-Za-z0-9_-]{14,24}$/.test(key))).toBe(true)
})

test('a secret has the bytes asked for, in hexadecimal digits', () => {
  expect(randomSecret(32)).toMatch(/^[0-9a-f]{64}$/)
  expect(randomSecret(32)).not.toBe(randomSecret(32))
})
