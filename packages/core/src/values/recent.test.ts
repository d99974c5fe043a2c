import { describe, expect, test } from 'vitest'
import { createRecent, type Recent } from './recent.ts'

const filled = (recent: Recent<string>, ...keys: readonly string[]): void => keys.forEach((key) => recent.set(key, key))

describe('a map of what was asked for lately', () => {
  test('forgets nothing until it is trimmed, and nothing that there is room for', () => {
    const recent = createRecent<string>(4)
    filled(recent, 'a', 'b')
    recent.trim()
    expect(['a', 'b', 'c'].map(recent.get)).toEqual(['a', 'b', undefined])
    filled(recent, 'c', 'd', 'e', 'f', 'g')
    expect(['a', 'g'].map(recent.get)).toEqual(['a', 'g'])
  })

  test('forgets what was not asked for between two trims that found too many', () => {
    const recent = createRecent<string>(4)
    filled(recent, 'a', 'b', 'c')
    recent.trim()
    expect(recent.get('a')).toBe('a')
    filled(recent, 'd', 'e')
    recent.trim()
    expect(['a', 'b', 'c', 'd', 'e'].map(recent.get)).toEqual(['a', undefined, undefined, 'd', 'e'])
  })

  test('forgets all when they are more than it may keep', () => {
    const recent = createRecent<string>(2)
    filled(recent, 'a', 'b', 'c')
    recent.trim()
    expect(['a', 'b', 'c'].map(recent.get)).toEqual([undefined, undefined, undefined])
  })

  test.each([0, 1, 2, 10])('keeps what is held for any number of trims, with room for %i, and the others as before', (size) => {
    const held = new Set(['a', 'b', 'c'])
    const recent = createRecent<string>(size, (value) => held.has(value))
    filled(recent, ...held)
    for (let turn = 0; turn < 20; turn += 1) {
      filled(recent, `x${turn}`, `y${turn}`, `z${turn}`)
      recent.trim()
    }
    const others = Array.from({ length: 10 }, (_, turn) => `x${turn}`)
    expect(others.map(recent.get).filter((value) => value !== undefined)).toEqual([])
    expect(['a', 'b', 'c'].map(recent.get)).toEqual(['a', 'b', 'c'])
    held.clear()
    for (let turn = 0; turn < 20; turn += 1) {
      filled(recent, `x${turn}`, `y${turn}`, `z${turn}`)
      recent.trim()
    }
    expect(['a', 'b', 'c'].map(recent.get)).toEqual([undefined, undefined, undefined])
  })

  test.each([0, 1, 10])('keeps of what is held the newest, with room for %i', (size) => {
    const recent = createRecent<string>(size, () => true)
    recent.set('a', 'first')
    filled(recent, 'b', 'c', 'd', 'e', 'f', 'g')
    recent.trim()
    recent.set('a', 'second')
    for (let turn = 0; turn < 20; turn += 1) {
      filled(recent, 'h', 'i')
      recent.trim()
    }
    expect(recent.get('a')).toBe('second')
  })

  test('holds nothing any more that was deleted or cleared', () => {
    const recent = createRecent<string>(0, () => true)
    filled(recent, 'a', 'b')
    recent.trim()
    recent.delete('a')
    recent.trim()
    expect(['a', 'b'].map(recent.get)).toEqual([undefined, 'b'])
    recent.clear()
    expect(recent.get('b')).toBeUndefined()
  })
})
