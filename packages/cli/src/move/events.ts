/** Moves the log in its order, and in bounded memory. What came after the invoice of its period comes with the next invoice. */

import {
  type AccountState,
  type Entry,
  FareboxError,
  findUsage,
  invariant,
  type LoggedEvent,
  type Store,
  type UsageEvent,
} from '@farebox/core/contracts'
import type { Arrived } from './arrived.ts'
import { type Originals, originalsOf } from './corrections.ts'
import { createDigester, type LogDigests } from './digests.ts'
import { LOG_PAGE, pagesOf, sideBySide } from './listing.ts'
import { periodKey, type Round, roundAt } from './periods.ts'
import type { Survey } from './survey.ts'

export interface MoveEventsOptions {
  readonly from: Store
  readonly to: Store
  readonly source: Survey
  readonly arrived: Arrived
  readonly onMoved: (done: number) => void
}

/** An event on its way. */
interface Moved {
  readonly event: LoggedEvent
  /** How many events its total has before it. */
  readonly place: number
  readonly round: number
  /** Key of the event that it corrects; undefined where it corrects none. */
  readonly original: string | undefined
}

/** Events of one customer that follow one another in the log: one change writes them. */
interface Run {
  readonly customerId: string
  readonly events: Moved[]
}

/** So many events in one change at most: a source that lists customer by customer would make it a whole page. */
const LONGEST_RUN = 1_000

/**
 * Events that are written side by side share a commit. Keys are spread over the target's index, so the more there are, the
 * seldomer each of its pages is written: ten million events of 8,000 customers took 165 s with 50,000 and 244 s with 10,000.
 */
const SIDE_BY_SIDE = 50_000

/** Gives the digest of the whole log, to be compared with the target's. */
export async function moveEvents({ from, to, source, arrived, onMoved }: MoveEventsOptions): Promise<LogDigests> {
  const digester = createDigester()
  let runs: Run[] = []
  let waiting = 0
  let done = 0
  for await (const page of pagesOf((request) => from.log(request), LOG_PAGE)) {
    const originals = await originalsOf(from, page)
    for (const event of page) {
      const place = digester.add(event, originals).events - 1
      const { round } = roundAt(source.periods.get(periodKey(event)) ?? [], place) ?? refuseUncounted(event)
      if (round === 0) addTo(runs, { event, place, round, original: originals.get(event) })
    }
    waiting += page.length
    if (waiting >= SIDE_BY_SIDE) await write()
  }
  await write()
  return digester.digests

  async function write(): Promise<void> {
    await post({ to, arrived }, runs)
    onMoved((done += waiting))
    runs = []
    waiting = 0
  }
}

/** Moves the events of one late total. The totals of its period that were there before it are invoiced in the target. */
export async function moveLate(
  { from, to, arrived }: Pick<MoveEventsOptions, 'from' | 'to' | 'arrived'>,
  late: Round,
): Promise<void> {
  const { round, periodStart } = late
  let place = 0
  for await (const page of oldestFirst(from, late)) {
    const originals: Originals = await originalsOf(from, page)
    const runs: Run[] = []
    for (const event of page) {
      addTo(runs, { event: { ...event, periodStart }, place, round, original: originals.get(event) })
      place += 1
    }
    await post({ to, arrived }, runs)
  }
}

/** The pages of a total from its oldest events on. A store gives the newest first, so the way is walked twice where it is long. */
async function* oldestFirst(
  from: Store,
  { customerId, feature, periodStart, invoiceId }: Round,
): AsyncGenerator<readonly UsageEvent[]> {
  const total = { customerId, feature, periodStart, invoiceId, limit: LOG_PAGE }
  const cursors: (string | undefined)[] = []
  let after: string | undefined
  do {
    cursors.push(after)
    after = (await from.events({ ...total, after })).next ?? undefined
  } while (after !== undefined)
  for (const cursor of cursors.toReversed()) yield (await from.events({ ...total, after: cursor })).items.toReversed()
}

/** A correction begins a run: its original must be in the target's log, and not on its way with it. */
function addTo(runs: Run[], moved: Moved): void {
  const { customerId } = moved.event
  const last = runs.at(-1)
  const goesOn = last?.customerId === customerId && last.events.length < LONGEST_RUN && moved.original === undefined
  if (goesOn) last.events.push(moved)
  else runs.push({ customerId, events: [moved] })
}

/** They are asked for in their order, and a store applies the changes of a customer in the order in which they came. */
async function post({ to, arrived }: Pick<MoveEventsOptions, 'to' | 'arrived'>, runs: readonly Run[]): Promise<void> {
  await sideBySide(runs, ({ customerId, events }) => {
    const keys = events.flatMap(({ original }) => original ?? [])
    return to.change(keys.length === 0 ? { customerId } : { customerId, keys }, (state) => ({
      result: undefined,
      entries: missingOf(state, arrived, events),
    }))
  })
}

/**
 * Which events are in the target is decided by their number alone: it always holds the first so many of each total. So what
 * was written before, by this process or one that was killed, is not written again, and nothing is left out.
 */
function missingOf(state: AccountState, { sealedRounds }: Arrived, events: readonly Moved[]): Entry[] {
  const there = new Map<string, number>()
  const entries: Entry[] = []
  for (const { event, place, round, original } of events) {
    const key = periodKey(event)
    if ((sealedRounds.get(key) ?? 0) > round) continue
    const next = there.get(key) ?? findUsage(state.usage, event.feature, event.periodStart)?.events ?? 0
    invariant(place <= next, 'the events of a total come over in their order')
    there.set(key, Math.max(next, place + 1))
    if (place < next) continue
    const { periodStart } = event
    // Who gave a key is not recorded. One that Farebox made never comes again, so keeping it is no harm.
    entries.push({ kind: 'posted', event: pointing(state, event, original), periodStart, keyGivenBy: 'caller' })
  }
  return entries
}

/** With the place of its original in the target. */
function pointing({ known }: AccountState, event: LoggedEvent, original: string | undefined): LoggedEvent {
  if (original === undefined) return event
  const corrects = known.get(original)?.seq
  if (corrects === undefined) throw refuseUnknown(event)
  return { ...event, corrects }
}

function refuseUncounted({ seq, customerId, feature }: LoggedEvent): never {
  throw new FareboxError(
    'not_movable',
    `Expected a total for every event, found none for the event ${seq} of ${customerId} (${feature}): farebox.verify() says more`,
    { fields: { seq, customerId, feature } },
  )
}

function refuseUnknown({ seq, customerId, corrects }: LoggedEvent): FareboxError {
  return new FareboxError(
    'not_movable',
    `Expected every correction to be of an event, found the event ${seq} of ${customerId}, which corrects ${corrects} and that is not in the log: farebox.verify() says more`,
    { fields: { seq, customerId, corrects } },
  )
}
