/** Periods, counted from the anchor in a time zone: the n-th boundary never depends on the one before it. */

import { Temporal } from 'temporal-polyfill'
import { invariant } from './invariant.ts'

/** A length on the calendar: a week is seven days of it, whatever the clocks do meanwhile. */
export interface Every {
  readonly unit: 'week' | 'month'
  /** One or more. */
  readonly count: number
}

/** Boundaries at `anchor` (epoch milliseconds) and every so often from it, at its day and time of day in `timeZone`. */
export interface Schedule {
  readonly anchor: number
  readonly every: Every
  /** IANA name. */
  readonly timeZone: string
}

/** [start, end) in epoch milliseconds: the instant of an end belongs to the next period. */
export interface Period {
  /** 0 begins at the anchor; negative before it. */
  readonly index: number
  readonly start: number
  readonly end: number
}

/** Ten thousand years: nothing that is billed is further from its anchor. */
const MAX_FROM_ANCHOR = { week: 520_000, month: 120_000 } as const

const WEEK_MS = 604_800_000

/**
 * The n-th boundary in epoch milliseconds; boundary 0 is the anchor, `n` may be negative. A month without the anchor's day
 * gives its last day (31 January, 28 February, 31 March). A local time that a clock change skips is moved forward by the
 * gap, one that it repeats is taken the first time.
 */
export function boundary(schedule: Schedule, n: number): number {
  return boundaryFrom(zoned(schedule.anchor, schedule.timeZone), schedule.every, n)
}

/** The period that holds the instant `at`. Asking again for the same period costs no calendar arithmetic. */
export function periodAt(schedule: Schedule, at: number): Period {
  const remembered = recent.get(schedule.anchor)
  if (remembered !== undefined && answers(remembered, schedule, at)) return remembered.period
  const before = remembered?.before ?? null
  if (before !== null && answers(before, schedule, at)) return before.period
  const period = findPeriod(schedule, at)
  remember(schedule, period, remembered)
  return period
}

/** Whether the text is an IANA time zone name that this runtime knows. */
export function isTimeZone(name: string): boolean {
  if (typeof name !== 'string' || !/^[A-Za-z][A-Za-z0-9_+/-]{0,63}$/.test(name)) return false
  try {
    zoned(0, name)
    return true
  } catch {
    return false
  }
}

function findPeriod(schedule: Schedule, at: number): Period {
  const { every, timeZone } = schedule
  const anchor = zoned(schedule.anchor, timeZone)
  let index = Math.floor(unitsBetween(anchor, zoned(at, timeZone), every.unit) / every.count)
  let start = boundaryFrom(anchor, every, index)
  let end = boundaryFrom(anchor, every, index + 1)
  // The count is right to within one: the day of the month, or a clock change, decides the rest.
  if (start > at) [index, start, end] = [index - 1, boundaryFrom(anchor, every, index - 1), start]
  else if (end <= at) [index, start, end] = [index + 1, end, boundaryFrom(anchor, every, index + 2)]

  invariant(start <= at && at < end, 'every instant is in exactly one period')
  return { index, start, end }
}

function boundaryFrom(anchor: Temporal.ZonedDateTime, { unit, count }: Every, n: number): number {
  invariant(Number.isInteger(count) && count >= 1, 'a period has at least one week or month')
  const units = n * count
  invariant(
    Number.isInteger(n) && Math.abs(units) <= MAX_FROM_ANCHOR[unit],
    'a period is within ten thousand years of its anchor',
  )
  // Adding to the anchor, in its own zone, resolves skipped and repeated local times as 'compatible'.
  return anchor.add(unit === 'week' ? { weeks: units } : { months: units }).epochMilliseconds
}

/** Months of the calendar from one to the other, whatever the days; or weeks of 168 hours, which clock changes make longer or shorter. */
function unitsBetween(from: Temporal.ZonedDateTime, to: Temporal.ZonedDateTime, unit: Every['unit']): number {
  if (unit === 'week') return Math.floor((to.epochMilliseconds - from.epochMilliseconds) / WEEK_MS)
  return (to.year - from.year) * 12 + to.month - from.month
}

function zoned(instant: number, timeZone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(instant).toZonedDateTimeISO(timeZone)
}

interface Remembered {
  readonly every: Every
  readonly timeZone: string
  readonly period: Period
  /** The one before it: closing asks for the period that ends and the one that begins in turn. */
  before: Remembered | null
}

/** The period last asked for, by anchor: subscriptions that share an anchor mostly share the period too. */
const recent = new Map<number, Remembered>()

/** Some 2 MB. Beyond it all are forgotten at once: dropping the oldest one by one leaves a Map full of holes to step over. */
const MAX_REMEMBERED = 10_000

function answers({ every, timeZone, period }: Remembered, schedule: Schedule, at: number): boolean {
  const { unit, count } = schedule.every
  return period.start <= at && at < period.end && count === every.count && unit === every.unit && timeZone === schedule.timeZone
}

function remember({ anchor, every, timeZone }: Schedule, period: Period, before: Remembered | undefined): void {
  if (recent.size >= MAX_REMEMBERED) recent.clear()
  if (before !== undefined) before.before = null
  recent.set(anchor, { every, timeZone, period, before: before ?? null })
}
