/**
 * One transaction for many changes. Accounts that this process has to itself are remembered, and one round trip writes under the
 * condition that they are unchanged; else they are locked and read in a round trip before.
 */

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
import { columnsOf } from './columns.ts'
import { isOutdated } from './faults.ts'
import { type Command, type Link, rowsOf } from './link.ts'
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

/**
 * While nobody else changes its accounts, a batch is decided from memory and written in one round trip under the condition that
 * they are as remembered. Where one was not, so many batches lock first: work that is done twice stays rare.
 */
const QUIET_BATCHES = 32

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
  /** Locked batches since one found that another process had changed its accounts. */
  let quiet = QUIET_BATCHES

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
    const results = await link.run([statements.begin, statements.set, statements.marked(process, lane), statements.commit])
    const [row] = rowsOf<{ batch: string }>(results, 2)
    return Number(row?.batch) === batch
  }

  async function write(link: Link, batch: number, { changes, customerIds, onCommit }: Work): Promise<boolean> {
    const mark = statements.mark(process, lane, batch)
    const asked = askedBy(changes)
    const remembered = quiet >= QUIET_BATCHES && isEmpty(asked) ? accounts.remembered(customerIds) : null
    const seen = remembered ?? (await accounts.lock(link, [mark], customerIds, asked))
    if ('missing' in seen) {
      await link.run([statements.rollback, statements.addAccounts(seen.missing)])
      return false
    }
    if (remembered === null) quiet = seen.isStale ? 0 : quiet + 1
    const writes = createWriteSet({
      statements,
      process,
      known: seen.known,
      places: new Set(asked.places.map(placeOf)),
      invoices: seen.invoices,
    })
    const taken: Taken[] = []
    for (const change of changes) if (!change.isGivenUp) decideOne(change, seen, { writes, taken })
    const missing = missingMonths(writes.instants)
    // What all customers share is taken under the locks: the accounts are forgotten now, so the next run has them.
    const isOver = missing.size > 0 || (taken.length > 0 && (remembered !== null || !(await take(link, taken))))
    if (isOver) {
      if (remembered === null) await link.run([statements.rollback])
      if (missing.size > 0) await makePartitions(missing)
      return false
    }
    const opening = remembered === null ? [] : [statements.begin, statements.set, mark, ...checkOf(remembered, writes)]
    try {
      await commit(link, opening, { writes, onCommit })
    } catch (error) {
      if (remembered === null || !isOutdated(error)) throw error
      quiet = 0
      await link.run([statements.rollback])
      return false
    }
    for (const account of writes.changed) account.version += 1
    return true
  }

  /** What was decided from memory and changed nothing, such as a refusal, counts only if it was so. */
  function checkOf({ accounts: all }: LockedAccounts, { changed }: WriteSet): Command[] {
    const unchanged = [...all.values()].filter((account) => !changed.has(account))
    if (unchanged.length === 0) return []
    const versions = columnsOf(
      unchanged,
      ({ state }) => state.customerId,
      ({ version }) => version,
    )
    return [statements.checkAccounts(...versions)]
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

  async function commit(link: Link, opening: readonly Command[], { writes, onCommit }: Committed): Promise<void> {
    // The mark is kept: it says that this process lives, and that may be lost with the power. Nobody waits for the disk.
    if (writes.changed.size === 0) return void (await link.run([...opening, statements.commitUnsynced]))
    let commands = [...opening, ...writes.commands()]
    if (writes.mustChange.size > 0) {
      // What the rows say decides whether it may be committed.
      const results = await link.run(commands)
      for (const [place, rule] of writes.mustChange) invariant(results[opening.length + place]?.rowCount === 1, rule)
      commands = []
    }
    onCommit()
    const results = await link.run([...commands, statements.commit])
    invariant(results.at(-1)?.command === 'COMMIT', 'a transaction without errors is committed')
  }
}

interface Committed {
  readonly writes: WriteSet
  readonly onCommit: () => void
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

/** Whether the batch needs nothing but its accounts. */
function isEmpty({ keys, places, invoices, records }: Asked): boolean {
  return keys.length + places.length + invoices.length + records.length === 0
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
