import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { boundary, isTimeZone, periodAt, type Schedule } from './period.ts'

const DAY_MS = 86_400_000
const ZONES = [
  'UTC',
  'America/New_York',
  'America/Los_Angeles',
  'Asia/Kolkata',
  'Europe/Berlin',
  'Australia/Lord_Howe',
  'Pacific/Apia',
  'America/Sao_Paulo',
  'Africa/Casablanca',
]
const FIRST = Date.UTC(2010, 0, 1)
const LAST = Date.UTC(2040, 0, 1)

const schedules: fc.Arbitrary<Schedule> = fc.record({
  anchor: fc.integer({ min: FIRST, max: LAST }),
  months: fc.constantFrom(1, 1, 2, 3, 6, 12),
  timeZone: fc.constantFrom(...ZONES),
})

describe('boundary', () => {
  test('is counted from the anchor, so a short month never shortens those after it', () => {
    const schedule = { anchor: utc('2025-01-31T10:00Z'), months: 1, timeZone: 'UTC' }
    expect([-2, -1, 0, 1, 2, 3].map((n) => text(boundary(schedule, n)))).toEqual([
      '2024-11-30T10:00',
      '2024-12-31T10:00',
      '2025-01-31T10:00',
      '2025-02-28T10:00',
      '2025-03-31T10:00',
      '2025-04-30T10:00',
    ])
  })

  test('P-52 P-53: grows with its number for anchors on days 28 to 31, over 60 months, in every zone', () => {
    for (const timeZone of ZONES) {
      for (const day of [28, 29, 30, 31]) {
        const schedule = { anchor: Date.UTC(2024, 0, day, 2, 30), months: 1, timeZone }
        const boundaries = Array.from({ length: 61 }, (_, n) => boundary(schedule, n))
        const days = boundaries.slice(1).map((end, n) => (end - (boundaries[n] ?? end)) / DAY_MS)
        expect(Math.min(...days)).toBeGreaterThan(27.9)
        expect(Math.max(...days)).toBeLessThan(31.1)
      }
    }
  })

  test('P-51 P-55: falls on the same local time of day on both sides of a clock change', () => {
    const newYork = { anchor: utc('2025-02-15T00:00-05:00'), months: 1, timeZone: 'America/New_York' }
    expect(boundary(newYork, 1)).toBe(utc('2025-03-15T00:00-04:00'))
    const kolkata = { anchor: utc('2025-01-31T00:00+05:30'), months: 1, timeZone: 'Asia/Kolkata' }
    expect([1, 2].map((n) => boundary(kolkata, n))).toEqual([utc('2025-02-28T00:00+05:30'), utc('2025-03-31T00:00+05:30')])
    const losAngeles = { anchor: utc('2025-01-31T23:30-08:00'), months: 1, timeZone: 'America/Los_Angeles' }
    expect([1, 2].map((n) => boundary(losAngeles, n))).toEqual([utc('2025-02-28T23:30-08:00'), utc('2025-03-31T23:30-07:00')])
  })

  test('moves a local time that is skipped forward, and takes a repeated one the first time', () => {
    const skipped = { anchor: utc('2025-02-09T02:30-05:00'), months: 1, timeZone: 'America/New_York' }
    expect(boundary(skipped, 1)).toBe(utc('2025-03-09T03:30-04:00'))
    const repeated = { anchor: utc('2025-10-02T01:30-04:00'), months: 1, timeZone: 'America/New_York' }
    expect(boundary(repeated, 1)).toBe(utc('2025-11-02T01:30-04:00'))
  })

  test('keeps an anchor that stands in the second pass of a repeated hour', () => {
    const second = { anchor: utc('2025-11-02T01:30-05:00'), months: 1, timeZone: 'America/New_York' }
    expect(boundary(second, 0)).toBe(second.anchor)
    expect(periodAt(second, second.anchor).index).toBe(0)
    expect(periodAt(second, second.anchor - 1).index).toBe(-1)
  })

  test('moves past a day that a zone skipped', () => {
    const apia = { anchor: utc('2011-11-30T12:00-10:00'), months: 1, timeZone: 'Pacific/Apia' }
    expect(boundary(apia, 1)).toBe(utc('2011-12-31T12:00+14:00'))
  })

  test('P-60: refuses a schedule without months and a distance of more than ten thousand years', () => {
    const schedule = { anchor: FIRST, months: 1, timeZone: 'UTC' }
    expect(() => boundary({ ...schedule, months: 0 }, 1)).toThrow('at least one month')
    expect(() => boundary({ ...schedule, months: 1.5 }, 1)).toThrow('at least one month')
    expect(() => boundary(schedule, 0.5)).toThrow('within ten thousand years')
    expect(() => boundary(schedule, 10_000_000)).toThrow('within ten thousand years')
  })
})

describe('periodAt', () => {
  test('P-54: gives each instant to exactly one period, and the periods join without gap or overlap', () => {
    fc.assert(
      fc.property(schedules, fc.integer({ min: FIRST, max: LAST }), (schedule, at) => {
        const { index, start, end } = periodAt(schedule, at)
        expect(start <= at && at < end).toBe(true)
        expect([start, end]).toEqual([boundary(schedule, index), boundary(schedule, index + 1)])
        expect(periodAt(schedule, end)).toMatchObject({ index: index + 1, start: end })
        expect(periodAt(schedule, start - 1)).toMatchObject({ index: index - 1, end: start })
      }),
      { numRuns: 300 },
    )
  })

  test('answers the same whether it was asked before or not, and whoever else shares the anchor', () => {
    fc.assert(
      fc.property(
        fc.array(schedules, { minLength: 2, maxLength: 4 }),
        fc.array(fc.integer({ min: FIRST, max: LAST }), { maxLength: 4 }),
        (shapes, instants) => {
          for (const shape of shapes) {
            for (const at of instants) {
              const schedule = { ...shape, anchor: FIRST }
              const { index } = periodAt(schedule, at)
              expect(periodAt(schedule, at)).toEqual({
                index,
                start: boundary(schedule, index),
                end: boundary(schedule, index + 1),
              })
            }
          }
        },
      ),
      { numRuns: 50 },
    )
  })

  test('remembers a bounded number of anchors', () => {
    for (let anchor = 0; anchor < 10_050; anchor += 1)
      expect(periodAt({ anchor, months: 1, timeZone: 'UTC' }, anchor).start).toBe(anchor)
  }, 30_000)

  test('P-51: periods of local midnights join over two years in every zone there is', () => {
    for (const timeZone of Intl.supportedValuesOf('timeZone')) {
      const schedule = { anchor: Date.UTC(2025, 0, 31, 12), months: 1, timeZone }
      let at = schedule.anchor
      for (let n = 0; n < 24; n += 1) {
        const period = periodAt(schedule, at)
        expect(period).toMatchObject({ index: n, start: at })
        at = period.end
      }
    }
  }, 60_000)
})

describe('isTimeZone', () => {
  test.each(['UTC', 'Europe/Berlin', 'Asia/Kolkata', 'America/Argentina/Buenos_Aires', 'Etc/GMT+5'])('knows %s', (name) => {
    expect(isTimeZone(name)).toBe(true)
  })

  test.each(['', 'Mars/Base', '+05:30', 'Z', 'UTC+5', 'Europe/Berlin ', 'x'.repeat(100), '2025-01-01'])('refuses %j', (name) => {
    expect(isTimeZone(name)).toBe(false)
  })
})

function utc(written: string): number {
  return Date.parse(written)
}

function text(instant: number): string {
  return new Date(instant).toISOString().slice(0, 16)
}
