/** The store on one SQLite file: changes of one turn of the event loop share a transaction, and so a sync. */

import type Database from 'better-sqlite3'
import { type Change, type ChangeRequest, SETTLE_WITHIN_MS, type Store, type StoreFacts } from '../contracts/store.ts'
import { answer, changeBy, closed, closedTooEarly, isSettlement, type Waiting } from '../contracts/waiting.ts'
import type { FareboxError } from '../errors.ts'
import type { Reservation } from '../records/reservation.ts'
import { monotonicMs } from '../values/clock.ts'
import { randomId } from '../values/id.ts'
import { type Accounts, createAccounts } from './accounts.ts'
import { asStoreError, isBusy, isFault, unsynced } from './faults.ts'
import { createHeld, type Held } from './held.ts'
import { createLabels, type Labels } from './labels.ts'
import { areKeysNew, forgetLook, lookAround, looksAround } from './look-around.ts'
import { openDatabase, sqliteVersion } from './open.ts'
import { holdProcessLock, isProcessAlive } from './process-lock.ts'
import { createReads, type Reads } from './reads.ts'
import { createSchedule, type Schedule } from './schedule.ts'
import { checkSqliteOptions, type SqliteOptions } from './sqlite-options.ts'
import { prepareStatements, type Statements } from './statements.ts'
import { createSyncer, type Syncer } from './syncer.ts'
import { type Batch, createEntryWriter, emptyBatch, type EntryWriter } from './write-entry.ts'

export { inspectSqlite } from './inspect.ts'
export type { ProcessReservations, SqliteInspection } from './inspect.ts'

export type { SqliteOptions } from './sqlite-options.ts'

/**
 * A store on a SQLite file. The file is opened and brought up to date at once. Throws `store_not_writable`,
 * `store_unsupported`, `store_unavailable` or `invalid_option`. Several processes of one machine may share the file; a network file system may not hold it.
 */
export function sqlite(options: SqliteOptions): Store {
  return new SqliteStore(options)
}

/** Between two tries for the write lock: at least this long, at most twice as long, so that waiting processes spread. */
const RETRY_MS = 2

/** After an error that is not the lock (a full disk), settlements are tried again this often. */
const PROBE_MS = 1_000

/** Closing gives up what the disk will not take after this long. */
const CLOSE_WITHIN_MS = 5_000

class SqliteStore implements Store {
  readonly facts: StoreFacts
  readonly #options: Required<SqliteOptions>
  readonly #process: string = randomId('p')
  readonly #db: Database.Database
  readonly #statements: Statements
  readonly #held: Held
  readonly #labels: Labels
  readonly #accounts: Accounts
  readonly #writer: EntryWriter
  readonly #reads: Reads
  readonly #releaseLock: () => void
  /** Null where nothing has to reach the disk before it is answered. */
  readonly #syncer: Syncer | null
  /** Whether this or another process committed something since the last sync began. */
  #isUnsynced = true
  /** Committed, and to be answered when they are on the disk. */
  #unanswered: Waiting[][] = []
  #waiting: Waiting[] = []
  readonly #schedule: Schedule = createSchedule({
    commit: () => this.#commitWaiting(),
    waiting: () => this.#waiting.length,
    isSyncing: () => this.#syncer?.isRunning === true,
  })
  #dataVersion: bigint | null = null
  #nextSeq = 0
  #isClosed = false
  /** Why the database did not take the last write; null while it takes them. */
  #fault: FareboxError | null = null
  /** Why nothing is taken any more until the store is opened anew; null as long as the disk can be trusted. */
  #lost: FareboxError | null = null
  /** Until then (monotonic) a faulty database is not asked again. */
  #probeAtMs = 0

  constructor(options: SqliteOptions) {
    this.#options = checkSqliteOptions(options)
    const { path, durability, cacheSize } = this.#options
    this.#db = openDatabase(path)
    this.#releaseLock = holdProcessLock(path, this.#process)
    this.#statements = prepareStatements(this.#db)
    this.#held = createHeld(this.#statements, this.#process)
    this.#labels = createLabels(this.#statements)
    this.#accounts = createAccounts(this.#statements, this.#held, cacheSize)
    this.#writer = createEntryWriter(this.#statements, this.#labels)
    this.#reads = createReads(this.#statements, this.#labels)
    this.#syncer = durability === 'full' && path !== ':memory:' ? createSyncer(path) : null
    this.facts = { name: 'sqlite', location: path, version: sqliteVersion(this.#db), durability }
  }

  async open(): Promise<void> {}

  submit(request: ChangeRequest): void {
    if (this.#isClosed) return request.reject(closed())
    if (this.#lost !== null) return request.reject(this.#lost)
    const isSoon = request.target.urgency === 'soon'
    // One write error is enough: smaller writes might still fit, and each answer would be luck. A probe a second finds out.
    if (!isSoon && this.#fault !== null && monotonicMs() < this.#probeAtMs) return request.reject(this.#fault)
    this.#waiting.push({ request, deadlineMs: isSoon ? Infinity : null, answer: undefined, isFailed: false })
    if (isSoon) this.#schedule.later(this.#fault === null ? SETTLE_WITHIN_MS : PROBE_MS)
    else this.#schedule.soonest()
  }

  change: Store['change'] = changeBy((request) => this.submit(request))

  async flush(untilMs = Infinity): Promise<void> {
    while (this.#isBusy() && monotonicMs() < untilMs) {
      if (this.#fault === null || monotonicMs() >= this.#probeAtMs) this.#commitWaiting()
      if (this.#fault !== null && untilMs === Infinity) throw this.#fault
      if (this.#isBusy()) await pause()
    }
  }

  #isBusy(): boolean {
    return this.#waiting.length > 0 || this.#syncer?.isRunning === true
  }

  log: Store['log'] = (page) => this.#read(() => this.#reads.log(page))
  events: Store['events'] = (query) => this.#read(() => this.#reads.events(query))
  recount: Store['recount'] = (query) => this.#read(() => this.#reads.recount(query))
  totalsOf: Store['totalsOf'] = (query) => this.#read(() => this.#reads.totalsOf(query))
  totals: Store['totals'] = (page) => this.#read(() => this.#reads.totals(page))
  invoices: Store['invoices'] = (query) => this.#read(() => this.#reads.invoices(query))
  invoice: Store['invoice'] = (idOrNumber) => this.#read(() => this.#reads.invoice(idOrNumber))
  apiKey: Store['apiKey'] = (id) => this.#read(() => this.#reads.apiKey(id))
  apiKeys: Store['apiKeys'] = (customerId) => this.#read(() => this.#reads.apiKeys(customerId))
  customerIds: Store['customerIds'] = (page) => this.#read(() => this.#reads.customerIds(page))
  records: Store['records'] = (query) => this.#read(() => this.#reads.records(query))
  counters: Store['counters'] = () => this.#read(() => this.#reads.counters())
  catalogs: Store['catalogs'] = () => this.#read(() => this.#statements.catalogs.all())
  claimDue: Store['claimDue'] = (now, limit) => this.#read(() => this.#statements.due.all(now, limit))

  saveCatalog: Store['saveCatalog'] = ({ version, document }) =>
    this.#read(() => void this.#statements.saveCatalog.run(version, document))

  orphans: Store['orphans'] = () =>
    this.#read(() => {
      this.#held.refresh()
      const found: Reservation[] = []
      const isDead = new Map<string, boolean>()
      for (const { process, reservations } of this.#held.others()) {
        if (!isDead.has(process)) isDead.set(process, !isProcessAlive(this.#options.path, process))
        if (isDead.get(process) === true) found.push(...reservations)
      }
      return found
    })

  async close(): Promise<void> {
    if (this.#isClosed) return
    await this.flush(monotonicMs() + CLOSE_WITHIN_MS)
    this.#isClosed = true
    this.#schedule.cancel()
    const lost = closedTooEarly()
    for (const { request } of this.#waiting.splice(0)) request.reject(lost)
    if (this.#syncer?.isRunning === false) this.#syncer.close()
    this.#db.close()
    this.#releaseLock()
  }

  /** Reads see what this process asked for before them, but for settlements that a faulty database does not take: those are still reserved. */
  async #read<T>(read: () => T): Promise<T> {
    if (this.#isClosed) throw closed()
    const deadlineMs = monotonicMs() + this.#options.busyTimeoutMs
    while (this.#waiting.length > 0 && this.#fault === null && monotonicMs() < deadlineMs) {
      this.#commitWaiting()
      if (this.#waiting.length > 0) await pause()
    }
    for (;;) {
      try {
        return read()
      } catch (error) {
        if (!isBusy(error) || monotonicMs() >= deadlineMs) throw asStoreError(error)
      }
      await pause()
    }
  }

  /** Applies everything that waits, in the order in which it came, in one transaction. */
  #commitWaiting(): void {
    this.#schedule.cancel()
    const waiting = this.#waiting
    if (waiting.length === 0) return
    this.#waiting = []
    try {
      this.#statements.begin.run()
    } catch (error) {
      return this.#waitForLock(waiting, error)
    }
    try {
      this.#applyAll(waiting)
    } catch (error) {
      this.#rollBack()
      return isFault(error) ? this.#latch(waiting, error) : this.#retryApart(waiting, error)
    }
    this.#fault = null
    this.#unanswered.push(waiting)
    this.#sync()
  }

  /** Answers what was committed: at once where the disk has it, else when it has. */
  #sync(): void {
    const syncer = this.#syncer
    if (syncer?.isRunning === true) return
    const batches = this.#unanswered
    this.#unanswered = []
    if (syncer === null || !this.#isUnsynced) {
      answer(batches)
      return void this.#schedule.answered()
    }
    this.#isUnsynced = false
    syncer.start((error) => {
      if (error !== null) return this.#loseTrust(batches, error)
      answer(batches)
      if (!this.#schedule.answered() && this.#unanswered.length > 0) this.#sync()
    })
  }

  /** Decides, writes and commits. Throws when anything could not be written; the caller rolls back. */
  #applyAll(waiting: readonly Waiting[]): void {
    this.#seeOthers()
    const batch = emptyBatch(this.#nextSeq)
    batch.areKeysNew = areKeysNew(waiting, this.#accounts, this.#statements)
    for (const change of waiting) this.#applyOne(batch, change)
    this.#writer.writeGathered(batch)
    this.#held.write(batch.held)
    this.#statements.commit.run()
    // The commit succeeded; nothing below may fail.
    if (batch.hasWritten) this.#isUnsynced = true
    this.#nextSeq = batch.nextSeq
    this.#accounts.endBatch()
  }

  #applyOne(batch: Batch, waiting: Waiting): void {
    const { target } = waiting.request
    const account = this.#accounts.get(target.customerId)
    const isLooking = looksAround(target)
    if (isLooking) lookAround({ statements: this.#statements, writeEvents: this.#writer.writeEvents, batch, account, target })
    let change: Change<unknown>
    try {
      change = waiting.request.decide(account.state)
    } catch (error) {
      return fail(waiting, error)
    } finally {
      if (isLooking) forgetLook(account)
    }
    const refusal = this.#writer.refusalOf(change.entries)
    if (refusal !== null) return fail(waiting, refusal)
    for (const entry of change.entries) this.#writer.write(batch, account, entry)
    waiting.answer = change.result
    waiting.isFailed = false
  }

  /** When another process committed since, what is in memory may be old: all of it is forgotten. */
  #seeOthers(): void {
    const version = this.#statements.dataVersion.get() ?? null
    if (version === this.#dataVersion) return
    // Null at the start and after a rollback, when memory may be ahead of the file.
    if (this.#dataVersion === null) this.#held.reload()
    else this.#held.refresh()
    this.#dataVersion = version
    // What the other process wrote may not be on the disk yet, and what is decided from here on rests on it.
    this.#isUnsynced = true
    this.#accounts.clear()
    this.#nextSeq = Number(this.#statements.lastSeq.get() ?? 0n) + 1
  }

  #rollBack(): void {
    try {
      if (this.#db.inTransaction) this.#statements.rollback.run()
    } catch {
      // SQLite rolls back by itself what it cannot go on with; the error that led here is the one to tell.
    }
    this.#accounts.clear()
    this.#labels.clear()
    this.#dataVersion = null
  }

  /** One change of several spoilt the transaction: each gets one of its own, so that only the guilty one fails. */
  #retryApart(waiting: readonly Waiting[], error: unknown): void {
    const [only] = waiting
    if (waiting.length === 1 && only !== undefined) return only.request.reject(asStoreError(error))
    this.#waiting = [...waiting, ...this.#waiting]
    for (const change of waiting) {
      this.#commitFirst()
      // Another process took the lock: those behind this one wait with it, in their order.
      if (this.#waiting[0] === change) return
    }
  }

  #commitFirst(): void {
    const later = this.#waiting.splice(1)
    this.#commitWaiting()
    this.#waiting.push(...later)
    if (this.#waiting.length > 0) this.#schedule.later(RETRY_MS)
  }

  /** Another process holds the write lock: ask again soon, without blocking the event loop, for as long as each change may wait. */
  #waitForLock(waiting: readonly Waiting[], error: unknown): void {
    const now = monotonicMs()
    const mayWait = (change: Waiting): boolean => isBusy(error) && (change.deadlineMs ??= now + this.#options.busyTimeoutMs) > now
    this.#waiting = [...waiting.filter(mayWait), ...this.#waiting]
    if (this.#waiting.length > 0) this.#schedule.later(RETRY_MS * (1 + (now % 1)))
    const failed = waiting.filter((change) => !mayWait(change))
    if (failed.length === 0) return
    if (isBusy(error)) for (const { request } of failed) request.reject(asStoreError(error))
    else this.#latch(failed, error)
  }

  /**
   * The disk could not say that it has what was written. Trying again would prove nothing, for a system may forget what it
   * failed to write and report success the next time (PostgreSQL stops at the same point), so nothing is taken any more.
   */
  #loseTrust(synced: readonly (readonly Waiting[])[], error: Error): void {
    const lost = unsynced(error)
    this.#lost = lost
    this.#schedule.cancel()
    const unanswered = [...synced, ...this.#unanswered, this.#waiting]
    this.#unanswered = []
    this.#waiting = []
    for (const { request } of unanswered.flat()) request.reject(lost)
  }

  /** The database could not write: nothing is allowed until a probe passes. Settlements, work that was done, wait for it; the rest is answered. */
  #latch(waiting: readonly Waiting[], error: unknown): void {
    const fault = asStoreError(error) as FareboxError
    this.#fault = fault
    this.#probeAtMs = monotonicMs() + PROBE_MS
    this.#waiting = [...waiting.filter(isSettlement), ...this.#waiting]
    if (this.#waiting.length > 0) this.#schedule.later(PROBE_MS)
    for (const change of waiting) if (!isSettlement(change)) change.request.reject(fault)
  }
}

/** It is answered so when the batch is committed; nothing of it was applied. */
function fail(waiting: Waiting, error: unknown): void {
  waiting.answer = error
  waiting.isFailed = true
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, RETRY_MS))
}
