/** One server's way to the simulated database: it delays, fails, applies and then fails, and lets accounts overtake each other. */

import {
  type AccountState,
  type Change,
  type ChangeTarget,
  type Counted,
  DECIMAL_ZERO,
  type Entry,
  FareboxError,
  type Page,
  type PageRequest,
  type Store,
  submitBy,
  type TotalQuery,
} from '@farebox/core/contracts'
import { type Database, type SimulatedTotal, totalKey } from './database.ts'
import type { Random } from './random.ts'

/** Defects put into the store on purpose, for the negative controls. */
export type Defect = 'none' | 'decides_early' | 'applies_again' | 'acknowledges_early'

export interface Faults {
  /** Nothing was written, and the answer says that it failed. */
  fail: number
  /** It was written, and the answer says that it failed. */
  ambiguous: number
  /** The answer says that it failed, and it is written later. */
  late: number
  /** It was written, and the answer comes later. */
  slow: number
}

export interface StoreParts {
  readonly database: Database
  readonly process: string
  readonly random: Random
  readonly faults: Faults
  readonly defect: Defect
}

/** A change or a read on its way. */
interface Asked {
  readonly customerId: string | null
  readonly isSoon: boolean
  /** Takes effect; gives what to answer. Throws what the answer is then. */
  readonly apply: () => () => void
  readonly reject: (error: unknown) => void
  /** The caller was told that it failed; it may still be written. */
  isAnswered: boolean
}

export interface SimulatedStore extends Store {
  /** One thing happens: a commit, a read, an answer. False when nothing is under way. */
  step(): boolean
  /** The answer to the change that was asked for last. */
  lastChange(): Promise<unknown>
  /** The process dies: what was under way is written or not, and nobody hears of it. */
  crash(): void
}

export function simulatedStore({ database, process, random, faults, defect }: StoreParts): SimulatedStore {
  const waiting: Asked[] = []
  const answers: (() => void)[] = []
  let isClosed = false
  let last: Promise<unknown> = Promise.resolve()

  const store: SimulatedStore = {
    facts: { name: 'simulation', location: 'memory', version: '1', durability: 'full' },
    open: () => ask(() => undefined),
    change: changed,
    submit: submitBy(changed),
    flush: () => (waiting.length === 0 ? Promise.resolve() : ask(() => undefined)),
    log: (page) => ask(() => pageOf(database.log, page)),
    events: (query) => ask(() => pageOf(eventsOf(query).toReversed(), query)),
    recount: (query) => ask(() => recount(query)),
    totalsOf: (query) => ask(() => roundsOf(query).map((total) => ({ ...total }))),
    totals: (page) =>
      ask(() =>
        pageOf(
          [...database.totals.values()].flat().map((total) => ({ ...total })),
          page,
        ),
      ),
    invoices: (page) => ask(() => pageOf([...database.invoices.values()], page)),
    invoice: (id) => ask(() => database.invoices.get(id) ?? null),
    apiKey: () => ask(() => null),
    apiKeys: () => ask(() => []),
    customerIds: (page) => ask(() => pageOf([...database.accounts.keys()], page)),
    records: ({ kind, customerId, isOpen, ...page }) =>
      ask(() =>
        pageOf(
          [...database.records.values()].filter(
            (record) =>
              record.kind === kind &&
              record.customerId === (customerId ?? record.customerId) &&
              record.isOpen === (isOpen ?? record.isOpen),
          ),
          page,
        ),
      ),
    counters: () => ask(() => [...database.counters].map(([counter, taken]) => ({ counter, taken }))),
    catalogs: () => ask(() => [...database.catalogs.values()]),
    saveCatalog: (catalog) =>
      ask(() => void database.catalogs.set(catalog.version, database.catalogs.get(catalog.version) ?? catalog)),
    claimDue: (now, limit) => ask(() => due(now, limit)),
    orphans: () => ask(() => database.orphans()),
    close: async () => void (isClosed = true),
    step,
    lastChange: () => last,
    crash,
  }
  return store

  function changed<T>(target: ChangeTarget, decide: (state: AccountState) => Change<T>): Promise<T> {
    const { customerId, urgency } = target
    const early = defect === 'decides_early' ? decide(database.read(target)) : null
    let first: readonly Entry[] | null = null
    const written = enqueue<T>(customerId, urgency === 'soon', (resolve) => {
      // A store may run the decision again: it has no effects of its own.
      if (random.chance(0.1)) decide(database.read(target))
      const { result, entries } = early ?? decide(database.read(target))
      database.write(process, customerId, defect === 'applies_again' ? (first ?? entries) : entries)
      first ??= entries
      return () => resolve(result)
    })
    last = written
    if (defect !== 'acknowledges_early' || urgency === 'soon') return written
    written.catch(() => {})
    return Promise.resolve(decide(database.read(target)).result)
  }

  function ask<T>(read: () => T): Promise<T> {
    return enqueue<T>(null, false, (resolve) => {
      const result = read()
      return () => resolve(result)
    })
  }

  function enqueue<T>(
    customerId: string | null,
    isSoon: boolean,
    apply: (resolve: (result: T) => void) => () => void,
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (isClosed) return reject(new FareboxError('stopped', 'The store is closed'))
      const asked: Asked = { customerId, isSoon, apply: () => apply(resolve), reject, isAnswered: false }
      waiting.push(asked)
    })
  }

  function step(): boolean {
    if (answers.length > 0 && random.chance(0.5)) {
      answers.splice(random.below(answers.length), 1)[0]?.()
      return true
    }
    const index = nextOfSomeAccount()
    if (index === -1) {
      const answer = answers.shift()
      answer?.()
      return answer !== undefined
    }
    const [asked] = waiting.splice(index, 1) as [Asked]
    commit(asked, index)
    return true
  }

  /** A read sees what was asked for before it, so it waits for its turn; the first change of any account may go. */
  function nextOfSomeAccount(): number {
    const firsts: number[] = []
    const seen = new Set<string>()
    for (const [index, { customerId }] of waiting.entries()) {
      if (customerId === null) {
        if (index === 0) firsts.push(index)
        break
      }
      if (!seen.has(customerId)) firsts.push(index)
      seen.add(customerId)
    }
    return firsts.length === 0 ? -1 : random.pick(firsts)
  }

  function commit(asked: Asked, index: number): void {
    const fate = asked.isAnswered ? 1 : random.next()
    const { fail, ambiguous, late, slow } = faults
    if (fate < fail) return asked.isSoon ? void waiting.splice(index, 0, asked) : asked.reject(unavailable())
    if (fate < fail + late && !asked.isSoon && asked.customerId !== null) {
      asked.isAnswered = true
      waiting.splice(index, 0, asked)
      return asked.reject(unavailable('unknown'))
    }
    let answer: () => void
    try {
      answer = asked.apply()
    } catch (error) {
      return asked.reject(error)
    }
    if (fate < fail + late + ambiguous)
      return asked.isSoon ? void waiting.splice(index, 0, asked) : asked.reject(unavailable('unknown'))
    if (fate < fail + late + ambiguous + slow) return void answers.push(answer)
    answer()
  }

  function crash(): void {
    isClosed = true
    const stopped = new Set<string>()
    for (const { customerId, apply } of waiting.splice(0)) {
      // What a connection had sent may still be written, in the order of each account.
      if (customerId === null || stopped.has(customerId)) continue
      if (random.chance(0.5)) stopped.add(customerId)
      else attempt(apply)
    }
    answers.splice(0)
    database.dead.add(process)
  }

  function roundsOf({ customerId, feature, periodStart }: Omit<TotalQuery, 'invoiceId'>): readonly SimulatedTotal[] {
    return database.totals.get(totalKey(customerId, feature, periodStart)) ?? []
  }

  /** In the order in which they were written. */
  function eventsOf({ invoiceId, ...query }: TotalQuery): typeof database.log {
    const rounds = roundsOf(query)
    const total = invoiceId === undefined ? rounds.at(-1) : rounds.find((one) => one.invoiceId === invoiceId)
    const places = new Set(total?.places)
    return database.log.filter(({ seq }) => places.has(seq))
  }

  /** What the simulation sells is counted in units alone. */
  function recount(query: TotalQuery): Counted {
    const events = eventsOf(query)
    const quantity = events.reduce((all, event) => all + event.quantity, 0n)
    return { quantity, events: events.length, cost: DECIMAL_ZERO, uncovered: DECIMAL_ZERO }
  }

  function due(now: number, limit: number): string[] {
    const dueOf = (customerId: string): number => database.accounts.get(customerId)?.subscription?.dueAt ?? Infinity
    const customers = [...database.accounts.keys()].filter((customerId) => dueOf(customerId) <= now)
    return customers.toSorted((a, b) => dueOf(a) - dueOf(b)).slice(0, limit)
  }
}

function attempt(apply: () => unknown): void {
  try {
    apply()
  } catch {
    // Nobody is there to hear of it.
  }
}

function unavailable(outcome: 'not_written' | 'unknown' = 'not_written'): FareboxError {
  return new FareboxError('store_unavailable', 'The simulated store did not answer', { fields: { outcome } })
}

function pageOf<T>(items: readonly T[], { after, limit = 100 }: PageRequest): Page<T> {
  const from = Number(after ?? 0)
  const page = items.slice(from, from + limit)
  return { items: page, next: page.length < limit ? null : String(from + limit) }
}
