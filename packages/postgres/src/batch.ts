/** One transaction for many changes, in two round trips: accounts are locked and read, then everything is written and committed. */

import {
  type Change,
  type ChangeTarget,
  type Entry,
  invariant,
  limitReached,
  recordName,
  seqKey,
  type Waiting,
} from '@farebox/core/contracts'
import { type Asked, createAccounts, keyOf, type LockedAccount, type LockedAccounts, placeOf, recordKeyOf } from './accounts.ts'
import { type Link, rowsOf } from './link.ts'
import type { PostgresSettings } from './options.ts'
import type { Month } from './partitions.ts'
import type { Statements } from './statements.ts'
import { createWriteSet, type WriteSet } from './write-set.ts'

export interface BatchParts {
  readonly settings: PostgresSettings
  readonly statements: Statements
  /** Names this process among all that use the database. */
  readonly process: string
  readonly lane: number
  /** The months of the instants that have no partition yet. */
  readonly missingMonths: (instants: readonly number[]) => ReadonlySet<Month>
  readonly makePartitions: (months: Iterable<Month>) => Promise<void>
}

/** A change on its way. */
export interface Pending extends Waiting {
  /** Answered before its transaction ended, because it had to wait too long. One that is not decided yet never will be. */
  isGivenUp: boolean
}

export interface Batches {
  /**
   * Decides, writes and commits; `onCommit` is called when the commit is sent. False when something had to be prepared first and
   * nothing was written: to be run again. Rejects with what went wrong; the states are forgotten then.
   */
  run(link: Link, batch: number, changes: readonly Pending[], onCommit: () => void): Promise<boolean>
  /**
   * Whether a batch was committed whose answer was lost. Its first statement wrote its number into this lane's row, so whoever
   * locks that row waits until the transaction ended and reads whether it counts.
   */
  isCommitted(link: Link, batch: number): Promise<boolean>
}

export function createBatches({ settings, statements, process, lane, missingMonths, makePartitions }: BatchParts): Batches {
  const accounts = createAccounts(statements, Math.ceil(settings.cacheSize / settings.connections))

  return { run, isCommitted }

  async function run(link: Link, batch: number, changes: readonly Pending[], onCommit: () => void): Promise<boolean> {
    const customerIds = [...new Set(changes.map(({ request }) => request.target.customerId))].toSorted(byCodeUnit)
    try {
      const isWritten = await write(link, batch, { changes, customerIds, onCommit })
      if (!isWritten) accounts.forget(customerIds)
      accounts.endBatch()
      return isWritten
    } catch (error) {
      accounts.forget(customerIds)
      throw error
    }
  }

  async function isCommitted(link: Link, batch: number): Promise<boolean> {
    const results = await link.run([statements.begin, statements.marked(process, lane), statements.commit])
    const [row] = rowsOf<{ batch: string }>(results, 1)
    return Number(row?.batch) === batch
  }

  async function write(link: Link, batch: number, { changes, customerIds, onCommit }: Work): Promise<boolean> {
    const mark = statements.mark(process, lane, batch)
    const asked = askedBy(changes)
    const locked = await accounts.lock(link, [mark], customerIds, asked)
    if ('missing' in locked) {
      await link.run([statements.rollback, statements.addAccounts(locked.missing)])
      return false
    }
    const writes = createWriteSet({
      statements,
      process,
      known: locked.known,
      places: new Set(asked.places.map(placeOf)),
      invoices: locked.invoices,
    })
    const taken: Taken[] = []
    for (const change of changes) if (!change.isGivenUp) decideOne(change, locked, { writes, taken })
    if (taken.length > 0 && !(await take(link, taken))) {
      await link.run([statements.rollback])
      return false
    }
    if (writes.changed.size === 0) {
      // The mark is kept: it says that this process lives, and that may be lost with the power. Nobody waits for the disk.
      await link.run([statements.commitUnsynced])
      return true
    }
    const missing = missingMonths(writes.instants)
    if (missing.size > 0) {
      await link.run([statements.rollback])
      await makePartitions(missing)
      return false
    }
    await commit(link, writes, onCommit)
    for (const account of writes.changed) account.version += 1
    return true
  }

  /** False when a counter has none left: those who asked are answered, and the others are to be run again without them. */
  async function take(link: Link, taken: readonly Taken[]): Promise<boolean> {
    const results = await link.run(taken.map(({ entry: { counter, limit } }) => statements.take(counter, limit)))
    const holders = new Set(taken.filter((_, place) => results[place]?.rowCount === 1).map(({ change }) => change))
    for (const [place, { change, entry }] of taken.entries()) {
      if (results[place]?.rowCount === 1 || change.isGivenUp) continue
      change.isGivenUp = true
      change.request.reject(limitReached(entry))
      // It took something too, which is free again now: nobody behind it was refused for certain.
      if (holders.has(change)) return false
    }
    return holders.size === new Set(taken.map(({ change }) => change)).size
  }

  async function commit(link: Link, writes: WriteSet, onCommit: () => void): Promise<void> {
    let commands = writes.commands()
    if (writes.mustChange.size > 0) {
      // What the rows say decides whether it may be committed.
      const results = await link.run(commands)
      for (const [place, rule] of writes.mustChange) invariant(results[place]?.rowCount === 1, rule)
      commands = []
    }
    onCommit()
    const results = await link.run([...commands, statements.commit])
    invariant(results.at(-1)?.command === 'COMMIT', 'a transaction without errors is committed')
  }
}

interface Work {
  readonly changes: readonly Pending[]
  readonly customerIds: readonly string[]
  readonly onCommit: () => void
}

/** What a change takes of a counter that all customers share. */
interface Taken {
  readonly change: Pending
  readonly entry: Extract<Entry, { kind: 'counted' }>
}

function askedBy(changes: readonly Pending[]): Asked {
  const targets = changes.map(({ request }) => request.target)
  return {
    keys: targets.flatMap(({ customerId, keys = [] }) => keys.map((key) => ({ customerId, key }))),
    places: targets.flatMap(({ customerId, seqs = [] }) => seqs.map((seq) => ({ customerId, seq }))),
    invoices: targets.flatMap(({ customerId, invoices = [] }) => invoices.map((key) => ({ customerId, key }))),
    records: targets.flatMap(({ customerId, records = [] }) => records.map((record) => ({ customerId, ...record }))),
  }
}

interface Written {
  readonly writes: WriteSet
  readonly taken: Taken[]
}

function decideOne(change: Pending, locked: LockedAccounts, { writes, taken }: Written): void {
  const { target } = change.request
  const account = locked.accounts.get(target.customerId)
  invariant(account !== undefined, 'the account of a change is locked')
  const { state } = account
  lookAround(target, account, { locked, writes })
  let decided: Change<unknown>
  try {
    decided = change.request.decide(state)
  } catch (error) {
    change.answer = error
    change.isFailed = true
    return
  } finally {
    state.known.clear()
    state.invoices.clear()
    state.records.clear()
  }
  for (const entry of decided.entries) {
    if (entry.kind === 'counted') taken.push({ change, entry })
    writes.add(account, entry)
  }
  change.answer = decided.result
  change.isFailed = false
}

/** Shows a decision what it names beyond its account, as the changes before it in the batch left it. */
function lookAround(
  { customerId, keys = [], seqs = [], invoices = [], records = [] }: ChangeTarget,
  account: LockedAccount,
  { locked, writes }: { readonly locked: LockedAccounts; readonly writes: WriteSet },
): void {
  const { state } = account
  for (const key of [...keys, ...seqs.map(seqKey)]) {
    const event = locked.known.get(keyOf({ customerId, key }))
    if (event !== undefined) state.known.set(key, event)
  }
  for (const id of invoices) {
    const invoice = locked.invoices.get(keyOf({ customerId, key: id }))
    if (invoice !== undefined) state.invoices.set(id, invoice)
  }
  for (const key of records) {
    const record = writes.findRecord(account, key) ?? locked.records.get(recordKeyOf({ customerId, ...key }))
    if (record !== undefined) state.records.set(recordName(key), record)
  }
}

/** As the collation "C" orders them, for ids are ASCII. */
function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : 1
}
