/** The store on one SQLite file: changes of one turn of the event loop share a transaction, and so a sync. */

import type Database from 'better-sqlite3'
import type { AccountState } from '../account/account-state.ts'
import { type Change, type ChangeTarget, SETTLE_WITHIN_MS, type Store, type StoreFacts } from '../contracts/store.ts'
import { FareboxError } from '../errors.ts'
import type { Reservation } from '../records/reservation.ts'
import { monotonicMs } from '../values/clock.ts'
import { randomId } from '../values/id.ts'
import { type Accounts, createAccounts, type LoadedAccount } from './accounts.ts'
import { createHeld, type Held } from './held.ts'
import { createLabels, type Labels } from './labels.ts'
import { openDatabase, sqliteVersion } from './open.ts'
import { holdProcessLock, isProcessAlive } from './process-lock.ts'
import { createReads, type Reads } from './reads.ts'
import { eventFromRow } from './rows.ts'
import { checkSqliteOptions, type SqliteOptions } from './sqlite-options.ts'
import { prepareStatements, type Statements } from './statements.ts'
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

/** A change that waits for its transaction. */
interface Waiting {
  readonly target: ChangeTarget
  readonly decide: (state: AccountState) => Change<unknown>
  readonly resolve: (result: never) => void
  readonly reject: (error: unknown) => void
  /** Monotonic; set when the lock was found taken for the first time. Infinity for settlements, which are never given up. */
  deadlineMs: number | null
}

type Answer = { readonly kind: 'decided'; readonly result: unknown } | { readonly kind: 'failed'; readonly error: unknown }

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
  #waiting: Waiting[] = []
  #immediate: NodeJS.Immediate | null = null
  #timer: NodeJS.Timeout | null = null
  #dataVersion: bigint | null = null
  #nextSeq = 0
  #isClosed = false
  /** Why the database did not take the last write; null while it takes them. */
  #fault: FareboxError | null = null
  /** Until then (monotonic) a faulty database is not asked again. */
  #probeAtMs = 0

  constructor(options: SqliteOptions) {
    this.#options = checkSqliteOptions(options)
    const { path, durability, cacheSize } = this.#options
    this.#db = openDatabase(path, durability)
    this.#releaseLock = holdProcessLock(path, this.#process)
    this.#statements = prepareStatements(this.#db)
    this.#held = createHeld(this.#statements, this.#process)
    this.#labels = createLabels(this.#statements)
    this.#accounts = createAccounts(this.#statements, this.#held, cacheSize)
    this.#writer = createEntryWriter(this.#statements, this.#labels)
    this.#reads = createReads(this.#statements, this.#labels)
    this.facts = { name: 'sqlite', location: path, version: sqliteVersion(this.#db), durability }
  }

  async open(): Promise<void> {}

  change<T>(target: ChangeTarget, decide: (state: AccountState) => Change<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#isClosed) return reject(new FareboxError('stopped', 'The store is closed: make a new one to go on'))
      const isSoon = target.urgency === 'soon'
      // One write error is enough: smaller writes might still fit, and each answer would be luck. A probe a second finds out.
      if (!isSoon && this.#fault !== null && monotonicMs() < this.#probeAtMs) return reject(this.#fault)
      this.#waiting.push({ target, decide, resolve, reject, deadlineMs: isSoon ? Infinity : null })
      if (isSoon) this.#scheduleLater(this.#fault === null ? SETTLE_WITHIN_MS : PROBE_MS)
      else this.#immediate ??= setImmediate(this.#commitWaiting)
    })
  }

  async flush(untilMs = Infinity): Promise<void> {
    while (this.#waiting.length > 0 && monotonicMs() < untilMs) {
      if (this.#fault === null || monotonicMs() >= this.#probeAtMs) this.#commitWaiting()
      if (this.#fault !== null && untilMs === Infinity) throw this.#fault
      if (this.#waiting.length > 0) await pause()
    }
  }

  log: Store['log'] = (page) => this.#read(() => this.#reads.log(page))
  events: Store['events'] = (query) => this.#read(() => this.#reads.events(query))
  recount: Store['recount'] = (query) => this.#read(() => this.#reads.recount(query))
  totals: Store['totals'] = (page) => this.#read(() => this.#reads.totals(page))
  invoices: Store['invoices'] = (query) => this.#read(() => this.#reads.invoices(query))
  invoice: Store['invoice'] = (idOrNumber) => this.#read(() => this.#reads.invoice(idOrNumber))
  apiKey: Store['apiKey'] = (id) => this.#read(() => this.#reads.apiKey(id))
  apiKeys: Store['apiKeys'] = (customerId) => this.#read(() => this.#reads.apiKeys(customerId))
  customerIds: Store['customerIds'] = (page) => this.#read(() => this.#reads.customerIds(page))
  catalogs: Store['catalogs'] = () => this.#read(() => this.#statements.catalogs.all())
  claimDue: Store['claimDue'] = (now, limit) => this.#read(() => this.#statements.due.all(now, limit))

  saveCatalog: Store['saveCatalog'] = ({ version, document }) =>
    this.#read(() => void this.#statements.saveCatalog.run(version, document))

  orphans: Store['orphans'] = () =>
    this.#read(() => {
      this.#held.refreshOthers()
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
    this.#cancelSchedule()
    const lost = new FareboxError(
      'store_unavailable',
      'The store was closed before the database took this change: it is resolved by onCrash at the next start',
    )
    for (const { reject } of this.#waiting.splice(0)) reject(lost)
    this.#db.close()
    this.#releaseLock()
  }

  /** Reads see what this process asked for before them, but for settlements that a faulty database does not take: those are still reserved. */
  async #read<T>(read: () => T): Promise<T> {
    if (this.#isClosed) throw new FareboxError('stopped', 'The store is closed: make a new one to go on')
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

  #scheduleLater(delayMs: number): void {
    this.#timer ??= setTimeout(this.#commitWaiting, delayMs)
  }

  #cancelSchedule(): void {
    if (this.#immediate !== null) clearImmediate(this.#immediate)
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#immediate = null
    this.#timer = null
  }

  /** Applies everything that waits, in the order in which it came, in one transaction. */
  readonly #commitWaiting = (): void => {
    this.#cancelSchedule()
    const waiting = this.#waiting
    if (waiting.length === 0) return
    this.#waiting = []
    try {
      this.#statements.begin.run()
    } catch (error) {
      return this.#waitForLock(waiting, error)
    }
    let answers: Answer[]
    try {
      answers = this.#applyAll(waiting)
    } catch (error) {
      this.#rollBack()
      return isFault(error) ? this.#latch(waiting, error) : this.#retryApart(waiting, error)
    }
    this.#fault = null
    for (let i = 0; i < waiting.length; i += 1) {
      const { resolve, reject } = waiting[i] as Waiting
      const answer = answers[i] as Answer
      if (answer.kind === 'decided') resolve(answer.result as never)
      else reject(answer.error)
    }
  }

  /** Decides, writes and commits. Throws when anything could not be written; the caller rolls back. */
  #applyAll(waiting: readonly Waiting[]): Answer[] {
    this.#seeOthers()
    const batch = emptyBatch(this.#nextSeq)
    const answers = waiting.map((change) => this.#applyOne(batch, change))
    this.#writer.writeTotals(batch)
    this.#held.write(batch.held)
    this.#statements.commit.run()
    // The commit succeeded; nothing below may fail.
    this.#nextSeq = batch.nextSeq
    for (const account of batch.touched.values()) this.#accounts.keep(account)
    return answers
  }

  #applyOne(batch: Batch, { target, decide }: Waiting): Answer {
    let account = batch.touched.get(target.customerId)
    if (account === undefined) batch.touched.set(target.customerId, (account = this.#accounts.get(target.customerId)))
    if (target.keys !== undefined) this.#loadKnown(account, target.keys)
    let change: Change<unknown>
    try {
      change = decide(account.state)
    } catch (error) {
      return { kind: 'failed', error }
    } finally {
      if (target.keys !== undefined) account.state.known.clear()
    }
    for (const entry of change.entries) this.#writer.write(batch, account, entry)
    return { kind: 'decided', result: change.result }
  }

  #loadKnown(account: LoadedAccount, keys: readonly string[]): void {
    if (account.rowId === 0) return
    for (const key of keys) {
      const row = this.#statements.eventByKey.get(account.rowId, key)
      if (row !== undefined) account.state.known.set(key, eventFromRow(row))
    }
  }

  /** When another process committed since, what is in memory may be old: all of it is forgotten. */
  #seeOthers(): void {
    const version = this.#statements.dataVersion.get() ?? null
    if (version === this.#dataVersion) return
    // Null at the start and after a rollback, when this process's own reservations have to be read again too.
    if (this.#dataVersion === null) this.#held.reload()
    else this.#held.refreshOthers()
    this.#dataVersion = version
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
    if (waiting.length === 1 && only !== undefined) return only.reject(asStoreError(error))
    for (const change of waiting) {
      this.#waiting.unshift(change)
      this.#commitFirst()
    }
  }

  #commitFirst(): void {
    const later = this.#waiting.splice(1)
    this.#commitWaiting()
    this.#waiting.push(...later)
    if (this.#waiting.length > 0) this.#scheduleLater(RETRY_MS)
  }

  /** Another process holds the write lock: ask again soon, without blocking the event loop, for as long as each change may wait. */
  #waitForLock(waiting: readonly Waiting[], error: unknown): void {
    const now = monotonicMs()
    const mayWait = (change: Waiting): boolean => isBusy(error) && (change.deadlineMs ??= now + this.#options.busyTimeoutMs) > now
    this.#waiting = [...waiting.filter(mayWait), ...this.#waiting]
    if (this.#waiting.length > 0) this.#scheduleLater(RETRY_MS * (1 + (now % 1)))
    const failed = waiting.filter((change) => !mayWait(change))
    if (failed.length === 0) return
    if (isBusy(error)) for (const change of failed) change.reject(asStoreError(error))
    else this.#latch(failed, error)
  }

  /** The database could not write: nothing is allowed until a probe passes. Settlements, work that was done, wait for it; the rest is answered. */
  #latch(waiting: readonly Waiting[], error: unknown): void {
    const fault = asStoreError(error) as FareboxError
    this.#fault = fault
    this.#probeAtMs = monotonicMs() + PROBE_MS
    this.#waiting = [...waiting.filter(isSettlement), ...this.#waiting]
    if (this.#waiting.length > 0) this.#scheduleLater(PROBE_MS)
    for (const change of waiting) if (!isSettlement(change)) change.reject(fault)
  }
}

/** The disk or the file is at fault, and every other write would meet the same; not the lock, and not what one change wrote. */
function isFault(error: unknown): boolean {
  const isOfSqlite = error instanceof Error && error.name === 'SqliteError' && 'code' in error
  return isOfSqlite && !/^SQLITE_(BUSY|CONSTRAINT|MISMATCH|RANGE|TOOBIG)/.test(String(error.code))
}

/** A settlement has no deadline. */
function isSettlement({ deadlineMs }: Waiting): boolean {
  return deadlineMs === Infinity
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, RETRY_MS))
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('SQLITE_BUSY')
}

/** What SQLite could not do becomes `store_unavailable`; a broken invariant or an error of ours stays what it is. */
function asStoreError(error: unknown): unknown {
  if (!(error instanceof Error) || error.name !== 'SqliteError') return error
  const code = 'code' in error ? String(error.code) : ''
  return new FareboxError('store_unavailable', `The database did not answer (${code}): try again; the cause says more`, {
    fields: { sqlite: code },
    cause: error,
  })
}
