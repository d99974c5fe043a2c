import { describe, expect, test } from 'vitest'
import { daysBetween, startOfDay } from './day.ts'

describe('startOfDay', () => {
  test('P-55: is midnight in the time zone, or the first time of the day where midnight is skipped', () => {
    expect(startOfDay(utc('2025-06-01T21:30Z'), 'Europe/Berlin')).toBe(utc('2025-05-31T22:00Z'))
    expect(startOfDay(utc('2025-06-01T22:30Z'), 'Europe/Berlin')).toBe(utc('2025-06-01T22:00Z'))
    expect(startOfDay(utc('2018-11-04T12:00-02:00'), 'America/Sao_Paulo')).toBe(utc('2018-11-04T01:00-02:00'))
  })
})

describe('daysBetween', () => {
  test.each<[what: string, from: string, to: string, timeZone: string, days: number]>([
    ['the same instant', '2025-06-01T12:00Z', '2025-06-01T12:00Z', 'UTC', 0],
    ['a whole day without a midnight in it', '2025-06-01T00:00Z', '2025-06-01T23:59:59.999Z', 'UTC', 0],
    ['a second with a midnight in it', '2025-06-01T23:59:59.500Z', '2025-06-02T00:00:00.500Z', 'UTC', 1],
    ['backwards', '2025-03-01T00:00Z', '2025-01-31T00:00Z', 'UTC', -29],
    ['February of a leap year', '2024-02-01T00:00Z', '2024-03-01T00:00Z', 'UTC', 29],
    ['more than a year', '2023-06-29T00:00Z', '2024-06-29T00:00Z', 'UTC', 366],
    ['a day of 23 hours', '2025-03-30T00:00+01:00', '2025-03-31T00:00+02:00', 'Europe/Berlin', 1],
    ['a day of 25 hours', '2025-10-26T00:00+02:00', '2025-10-27T00:00+01:00', 'Europe/Berlin', 1],
    ['the same instants elsewhere', '2025-06-01T21:00Z', '2025-06-01T23:00Z', 'Europe/Berlin', 1],
  ])('counts %s', (_, from, to, timeZone, days) => {
    expect(daysBetween(utc(from), utc(to), timeZone)).toBe(days)
  })

  test('P-51: never takes back a day that has begun, where clocks are set back across midnight', () => {
    // At one minute past midnight St. John's went back to one minute past eleven of the evening before.
    const zone = 'America/St_Johns'
    const noon = utc('2006-10-28T12:00-02:30')
    const counts = ['28T23:59:59-02:30', '29T00:00:30-02:30', '28T23:30-03:30', '29T00:00:30-03:30', '30T00:00-03:30']
    expect(counts.map((time) => daysBetween(noon, utc(`2006-10-${time}`), zone))).toEqual([0, 1, 1, 1, 2])
  })
})

function utc(written: string): number {
  return Date.parse(written)
}
