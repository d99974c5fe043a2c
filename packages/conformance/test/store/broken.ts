/** Stores that do something else than they should: wrappers around the SQLite store. */

import {
  type AccountState,
  type Change,
  type ChangeTarget,
  type Entry,
  type Page,
  type Store,
  submitBy,
} from '@farebox/core/contracts'
import type { StoreDatabase } from '../../src/index.ts'
import { sqliteDatabase } from './sqlite-database.ts'

/** What all stores of one database share, as a flaw needs it. */
export interface Surroundings {
  /** How many stores were made before. */
  readonly place: number
  readonly memory: Map<string, string>
}

export interface StoreFlaw {
  readonly name: string
  /** What a store does otherwise. */
  readonly store?: (store: Store, surroundings: Surroundings) => Partial<Store>
  readonly database?: (database: StoreDatabase) => Partial<StoreDatabase>
  /** The checks that fail because of it. */
  readonly breaks: readonly string[]
}

/** A database whose stores have the flaw. */
export async function brokenDatabase({
  store: change = () => ({}),
  database: alter = () => ({}),
}: StoreFlaw): Promise<StoreDatabase> {
  const database = await sqliteDatabase()
  const memory = new Map<string, string>()
  let place = 0
  const broken: StoreDatabase = {
    ...database,
    store(options) {
      const store = database.store(options)
      const changed = change(store, { place, memory })
      place += 1
      return withMembers(store, changed)
    },
  }
  return { ...broken, ...alter(broken) }
}

/** The same store with other members; those that it keeps stay its own. */
function withMembers(store: Store, members: Partial<Store>): Store {
  return new Proxy(store, {
    get(_store, name) {
      if (Object.hasOwn(members, name)) return Reflect.get(members, name)
      const value: unknown = Reflect.get(store, name, store)
      return typeof value === 'function' ? value.bind(store) : value
    },
  })
}

/** Both forms of the one door for writes. */
type Written = Pick<Store, 'change' | 'submit'>

type Decide<T> = (state: AccountState) => Change<T>

/** Every change is another one. */
export function changing(store: Store, change: <T>(target: ChangeTarget, decide: Decide<T>) => Promise<T>): Written {
  const changed: Store['change'] = (target, decide) => change(target, decide)
  return { change: changed, submit: submitBy(changed) }
}

/** What is decided on is another state. */
export function seeing(store: Store, change: (state: AccountState) => Partial<AccountState>): Written {
  return changing(store, (target, decide) => store.change(target, (state) => decide({ ...state, ...change(state) })))
}

/** What is written is something else. */
export function writing(store: Store, change: (entries: readonly Entry[], state: AccountState) => readonly Entry[]): Written {
  return changing(store, (target, decide) =>
    store.change(target, (state) => {
      const { result, entries } = decide(state)
      return { result, entries: change(entries, state) }
    }),
  )
}

/** Every posted event is another one. */
export function posting(store: Store, change: (posted: Extract<Entry, { kind: 'posted' }>) => Entry): Written {
  return writing(store, (entries) => entries.map((entry) => (entry.kind === 'posted' ? change(entry) : entry)))
}

/** The items of a page are others. */
export async function withItems<T>(page: Promise<Page<T>>, change: (items: readonly T[]) => readonly T[]): Promise<Page<T>> {
  const { items, next } = await page
  return { items: change(items), next }
}

export function later(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs))
}
