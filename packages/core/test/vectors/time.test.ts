/** When periods begin and end and how many days there are, as other billing systems and their documentation say. */

import { daysBetween } from '../../src/values/day.ts'
import { boundary, periodAt, type Every, type Schedule } from '../../src/values/period.ts'
import { instant, run, type Vector } from './table.ts'

interface AnchoredVector extends Vector {
  readonly anchor: string
  readonly months: number
}

interface PeriodVector extends AnchoredVector {
  readonly now: string
}

run<PeriodVector & { readonly end: string }>('cycle-end', {
  ours: (vector) => periodAt(scheduleOf(vector), instant(vector.now)).end,
  theirs: ({ end }) => instant(end),
})

run<PeriodVector & { readonly start: string }>('period-start', {
  ours: (vector) => periodAt(scheduleOf(vector), instant(vector.now)).start,
  theirs: ({ start }) => instant(start),
})

run<PeriodVector & { readonly start: string; readonly end: string }>('period-at', {
  ours: (vector) => {
    const { start, end } = periodAt(scheduleOf(vector), instant(vector.now))
    return [start, end]
  },
  theirs: ({ start, end }) => [instant(start), instant(end)],
})

run<AnchoredVector & { readonly boundaries: readonly string[] }>('anchor-sequence', {
  ours: (vector) => vector.boundaries.map((_, n) => boundary(scheduleOf(vector), n)),
  theirs: ({ boundaries }) => boundaries.map(instant),
})

run<AnchoredVector & { readonly times: number; readonly result: string }>('date-add', {
  ours: (vector) => boundary(scheduleOf(vector), vector.times),
  theirs: ({ result }) => instant(result),
})

run<
  Vector & {
    readonly schedules: readonly {
      readonly timeZone: string
      readonly unit: Every['unit']
      /** The first is the anchor. */
      readonly boundaries: readonly string[]
    }[]
  }
>('local-boundaries', {
  ours: ({ schedules }) =>
    schedules.map(({ timeZone, unit, boundaries }) => {
      const schedule = { anchor: instant(boundaries[0] ?? ''), every: { unit, count: 1 }, timeZone }
      return boundaries.map((_, n) => boundary(schedule, n))
    }),
  theirs: ({ schedules }) => schedules.map(({ boundaries }) => boundaries.map(instant)),
})

run<Vector & { readonly instant: string; readonly timeZone: string; readonly day: number }>('billing-day', {
  ours: ({ instant: text, timeZone }) => {
    const at = instant(text)
    // Noon in UTC is on the same date in nearly every zone.
    const firstOfMonth = instant(`${text.slice(0, 8)}01T12:00`)
    return daysBetween(firstOfMonth, at, timeZone) + 1
  },
  theirs: ({ day }) => day,
})

run<Vector & { readonly from: string; readonly to: string; readonly timeZone: string; readonly days: number }>('day-count', {
  ours: ({ from, to, timeZone }) => daysBetween(instant(from), instant(to), timeZone),
  theirs: ({ days }) => days,
})

function scheduleOf({ anchor, months }: AnchoredVector): Schedule {
  return { anchor: instant(anchor), every: { unit: 'month', count: months }, timeZone: 'UTC' }
}
