import { describe, expect, test } from 'vitest'
import { monotonicMs, systemClock, testClock } from './clock.ts'

describe('testClock', () => {
  test('stands still until it is moved, forward or back', () => {
    const clock = testClock(1_000)
    expect(clock.now()).toBe(1_000)
    clock.advance(500)
    expect(clock.now()).toBe(1_500)
    clock.advance(-700)
    expect(clock.now()).toBe(800)
    clock.set(42)
    expect(clock.now()).toBe(42)
  })

  test('shows whole milliseconds only', () => {
    expect(() => testClock(NaN)).toThrow('a clock shows whole epoch milliseconds')
    expect(() => testClock(0).advance(0.5)).toThrow('a clock shows whole epoch milliseconds')
  })
})

test('the system clock shows whole epoch milliseconds', () => {
  expect(Number.isSafeInteger(systemClock.now())).toBe(true)
  expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(1_000)
})

test('P-50: the monotonic clock never goes back', () => {
  const before = monotonicMs()
  expect(monotonicMs()).toBeGreaterThanOrEqual(before)
})
