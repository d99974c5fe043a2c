import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { boundary, type Every, isTimeZone, periodAt, type Schedule } from './period.ts'

const MONTH: Every = { unit: 'month', count: 1 }
const WEEK: Every = { unit: 'week', count: 1 }
const YEAR: Every = { unit: 'month', count: 12 }
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
  every: fc.record({ unit: fc.constantFrom('week', 'month'), count: fc.constantFrom(1, 1, 2, 3, 6, 12) }),
  timeZone: fc.constantFrom(...ZONES),
})

describe('boundary', () => {
  test('is counted from the anchor, so a short month never shortens those after it', () => {
    const schedule = { anchor: utc('2025-01-31T10:00Z'), every: MONTH, timeZone: 'UTC' }
    expect([-2, -1, 0, 1, 2, 3].map((n) => text(boundary(schedule, n)))).toEqual([
      '2024-11-30T10:00',
      '2024-12-31T10:00',
      '2025-01-31T10:00',
      '2025-02-28T10:00',
      '2025-03-31T10:00',
      '2025-04-30T10:00',
    ])
  })

  test('P-52 P-53: stands on the day of its anchor, or the last of a shorter month, over 60 months in every zone', () => {
    for (const timeZone of ZONES) {
      for (const day of [28, 29, 30, 31]) {
        const schedule = { anchor: localNoon(2023, 12, day, timeZone), every: MONTH, timeZone }
        for (let n = 0; n <= 60; n += 1) {
          expect(boundary(schedule, n)).toBe(localNoon(2023, 12 + n, Math.min(day, lastDay(2023, 12 + n)), timeZone))
        }
      }
    }
  })

  test('P-52: comes back to 29 February in leap years only', () => {
    const yearly = { anchor: utc('2024-02-29T00:00Z'), every: YEAR, timeZone: 'UTC' }
    expect([-4, -1, 0, 1, 2, 3, 4, 76, 80].map((n) => text(boundary(yearly, n)).slice(0, 10))).toEqual([
      '2020-02-29',
      '2023-02-28',
      '2024-02-29',
      '2025-02-28',
      '2026-02-28',
      '2027-02-28',
      '2028-02-29',
      '2100-02-28',
      '2104-02-29',
    ])
  })

  test('P-51: a week is seven days of the calendar, one hour longer or shorter where the clock changes', () => {
    const weekly = { anchor: utc('2025-10-20T09:00+02:00'), every: WEEK, timeZone: 'Europe/Berlin' }
    expect([-1, 1, 2].map((n) => boundary(weekly, n))).toEqual([
      utc('2025-10-13T09:00+02:00'),
      utc('2025-10-27T09:00+01:00'),
      utc('2025-11-03T09:00+01:00'),
    ])
    expect(boundary({ ...weekly, every: { unit: 'week', count: 2 } }, 3)).toBe(boundary(weekly, 6))
  })

  test('P-51 P-55: falls on the same local time of day on both sides of a clock change', () => {
    const newYork = { anchor: utc('2025-02-15T00:00-05:00'), every: MONTH, timeZone: 'America/New_York' }
    expect(boundary(newYork, 1)).toBe(utc('2025-03-15T00:00-04:00'))
    const kolkata = { anchor: utc('2025-01-31T00:00+05:30'), every: MONTH, timeZone: 'Asia/Kolkata' }
    expect([1, 2].map((n) => boundary(kolkata, n))).toEqual([utc('2025-02-28T00:00+05:30'), utc('2025-03-31T00:00+05:30')])
    const losAngeles = { anchor: utc('2025-01-31T23:30-08:00'), every: MONTH, timeZone: 'America/Los_Angeles' }
    expect([1, 2].map((n) => boundary(losAngeles, n))).toEqual([utc('2025-02-28T23:30-08:00'), utc('2025-03-31T23:30-07:00')])
  })

  test('moves a local time that is skipped forward, and takes a repeated one the first time', () => {
    const skipped = { anchor: utc('2025-02-09T02:30-05:00'), every: MONTH, timeZone: 'America/New_York' }
    expect(boundary(skipped, 1)).toBe(utc('2025-03-09T03:30-04:00'))
    const repeated = { anchor: utc('2025-10-02T01:30-04:00'), every: MONTH, timeZone: 'America/New_York' }
    expect(boundary(repeated, 1)).toBe(utc('2025-11-02T01:30-04:00'))
  })

  test('keeps an anchor that stands in the second pass of a repeated hour', () => {
    const second = { anchor: utc('2025-11-02T01:30-05:00'), every: MONTH, timeZone: 'America/New_York' }
    expect(boundary(second, 0)).toBe(second.anchor)
    expect(periodAt(second, second.anchor).index).toBe(0)
    expect(periodAt(second, second.anchor - 1).index).toBe(-1)
  })

  test('moves past a day that a zone skipped', () => {
    const apia = { anchor: utc('2011-11-30T12:00-10:00'), every: MONTH, timeZone: 'Pacific/Apia' }
    expect(boundary(apia, 1)).toBe(utc('2011-12-31T12:00+14:00'))
  })

  test.each(['week', 'month'] as const)('P-60: refuses less than a %s, and more than ten thousand years', (unit) => {
    const schedule = { anchor: FIRST, every: { unit, count: 1 }, timeZone: 'UTC' }
    expect(() => boundary({ ...schedule, every: { unit, count: 0 } }, 1)).toThrow('at least one week or month')
    expect(() => boundary({ ...schedule, every: { unit, count: 1.5 } }, 1)).toThrow('at least one week or month')
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
      expect(periodAt({ anchor, every: MONTH, timeZone: 'UTC' }, anchor).start).toBe(anchor)
  }, 30_000)
})

describe('in every zone there is, over two years of clock changes', () => {
  /** Half past two at night is the time that most clock changes skip or repeat. */
  const anchorText = '2025-01-31 02:30'

  test.each([
    { name: 'weeks', every: WEEK, periods: 105 },
    { name: 'months', every: MONTH, periods: 25 },
  ])(
    'P-51 P-54: $name leave no gap, do not overlap and never drift',
    ({ every, periods }) => {
      const zones = Intl.supportedValuesOf('timeZone')
      expect(zones.length).toBeGreaterThan(400)
      for (const timeZone of zones) {
        const localText = localClock(timeZone)
        const anchor = instantReading(localText, anchorText)
        let at = anchor
        for (let n = 0; n < periods; n += 1) {
          const { index, start, end } = periodAt({ anchor, every, timeZone }, at)
          // Plain comparisons: this loop runs some 50,000 times.
          if (index !== n || start !== at || end <= start)
            throw new Error(`${timeZone}: period ${n} does not join the one before`)
          if (!standsAt(localText, start, expectedText(every, n))) throw new Error(`${timeZone}: period ${n} drifted`)
          at = end
        }
      }
    },
    60_000,
  )

  /** What the wall clock shows at the n-th boundary, by plain arithmetic on dates. */
  function expectedText({ unit }: Every, n: number): string {
    const day = unit === 'week' ? Date.UTC(2025, 0, 31 + 7 * n) : Date.UTC(2025, n, Math.min(31, lastDay(2025, n + 1)))
    return `${text(day).slice(0, 10)} 02:30`
  }
})

describe('isTimeZone', () => {
  test.each(['UTC', 'Europe/Berlin', 'Asia/Kolkata', 'America/Argentina/Buenos_Aires', 'Etc/GMT+5'])('knows %s', (name) => {
    expect(isTimeZone(name)).toBe(true)
  })

  test.each(['', 'Mars/Base', '+05:30', 'Z', 'UTC+5', 'Europe/Berlin ', 'x'.repeat(100), '2025-01-01'])('refuses %j', (name) => {
    expect(isTimeZone(name)).toBe(false)
  })
})

/** Whether the wall clock shows `expected` at an instant; or, where a clock change skips that time, what it shows that much later. */
function standsAt(localText: (instant: number) => string, instant: number, expected: string): boolean {
  const shown = localText(instant)
  if (shown === expected) return true
  const gap = utc(`${shown.replace(' ', 'T')}Z`) - utc(`${expected.replace(' ', 'T')}Z`)
  // Before the gap the clock has not come to the expected time: so it never shows it.
  return gap > 0 && gap <= 3_600_000 && localText(instant - gap) < expected
}

/** Reads a wall clock by `Intl`, which the periods are not computed with: `2025-01-31 02:30`. */
function localClock(timeZone: string): (instant: number) => string {
  // Swedish writes dates as ISO 8601 does.
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'short' })
  return (instant) => format.format(instant)
}

/** An instant at which the wall clock shows the text. */
function instantReading(localText: (instant: number) => string, wanted: string): number {
  const asUtc = utc(`${wanted.replace(' ', 'T')}Z`)
  const offset = utc(`${localText(asUtc).replace(' ', 'T')}Z`) - asUtc
  expect(localText(asUtc - offset)).toBe(wanted)
  return asUtc - offset
}

/** No clock change is at noon. */
function localNoon(year: number, month: number, day: number, timeZone: string): number {
  return instantReading(localClock(timeZone), `${text(Date.UTC(year, month - 1, day)).slice(0, 10)} 12:00`)
}

function lastDay(year: number, month: number): number {
  return new Date(Date.UTC(year, month, 0)).getUTCDate()
}

function utc(written: string): number {
  return Date.parse(written)
}

function text(instant: number): string {
  return new Date(instant).toISOString().slice(0, 16)
}
