/**
 * One connection that writes, and what waits for it. Changes that came while it was busy share the next transaction. Each account
 * belongs to one lane of its process, so its changes follow one another and never wait for a lock of their own process.
 */

import {
  answer,
  type ChangeRequest,
  closed,
  closedTooEarly,
  type FareboxError,
  isSettlement,
  monotonicMs,
  SETTLE_WITHIN_MS,
} from '@farebox/core/contracts'
import { type BatchParts, type Batches, createBatches, type Pending } from './batch.ts'
import { asStoreError, faultOf, unavailable } from './faults.ts'
import { type Link, openLink } from './link.ts'

/** At most so many changes share a transaction: one that takes long would make all of them wait. */
const MAX_BATCH = 1_000

/**
 * After an answer, changes gather for the next transaction for at most so long, and only while turns of the event loop bring more:
 * those who were answered ask again, and share it. The first turns may bring nothing, for a client needs a moment. At 64
 * connections it took a third off what a request waits. One that comes alone never waits.
 */
const GATHER_MS = 4
const EMPTY_TURNS = 2

/** Between two tries after a conflict, or to reach the server: at least this long, at most twice as long. */
const RETRY_MS = 5
const REACH_MS = 100

/** A transaction whose commit was sent and not answered. */
interface Unresolved {
  readonly batch: number
  readonly changes: readonly Pending[]
}

export class Lane {
  readonly #parts: BatchParts
  readonly #batches: Batches
  #waiting: Pending[] = []
  /** In the transaction that is under way. */
  #current: readonly Pending[] = []
  /** Whether the current transaction may have been committed. */
  #isCommitting = false
  #link: Link | null = null
  #batch = 0
  #unresolved: Unresolved | null = null
  /** So many of the first that wait get a transaction of their own: one of them spoilt the last. */
  #apart = 0
  #isTouchDue = false
  /** Whether something waits that must not wait for a commit to ride on. */
  #isDue = false
  #isRunning = false
  #isClosed = false
  /** Why the database cannot be used now; null while it can. */
  #fault: FareboxError | null = null
  #turn: NodeJS.Immediate | null = null
  #timer: NodeJS.Timeout | null = null
  #watch: NodeJS.Timeout | null = null
  readonly #idle: (() => void)[] = []

  constructor(parts: BatchParts) {
    this.#parts = parts
    this.#batches = createBatches(parts)
  }

  submit(request: ChangeRequest): void {
    if (this.#isClosed) return request.reject(closed())
    const isSoon = request.target.urgency === 'soon'
    // While it is down only settlements wait: an answer that comes at once is worth more than one that comes too late.
    if (!isSoon && this.#fault !== null) return request.reject(this.#fault)
    const { timeoutMs } = this.#parts.settings
    const deadlineMs = isSoon ? Infinity : monotonicMs() + timeoutMs
    this.#waiting.push({ request, deadlineMs, answer: undefined, isFailed: false, isGivenUp: false })
    if (isSoon) return void (this.#timer ??= setTimeout(() => this.#start(), SETTLE_WITHIN_MS))
    this.#isDue = true
    this.#turn ??= setImmediate(() => this.#start())
    this.#watch ??= setTimeout(() => this.#giveUp(), timeoutMs)
  }

  /** Tells the database that this process lives. */
  touch(): void {
    this.#isTouchDue = true
    this.#start()
  }

  /** Resolves when everything asked for so far is durable or was answered; when it takes longer, at the given time (monotonic). */
  async settled(untilMs: number): Promise<void> {
    if (this.#waiting.length === 0 && !this.#isRunning) return
    this.#start()
    let timer: NodeJS.Timeout | undefined
    await new Promise<void>((resolve) => {
      this.#idle.push(resolve)
      if (untilMs < Infinity) timer = setTimeout(resolve, Math.max(0, untilMs - monotonicMs()))
    })
    clearTimeout(timer)
  }

  /** Why changes are refused at once; null while they are taken. */
  get fault(): FareboxError | null {
    return this.#fault
  }

  async close(untilMs: number): Promise<void> {
    await this.settled(untilMs)
    this.#isClosed = true
    for (const timer of [this.#timer, this.#watch]) if (timer !== null) clearTimeout(timer)
    if (this.#turn !== null) clearImmediate(this.#turn)
    const lost = closedTooEarly()
    for (const { request } of [...this.#current, ...this.#waiting.splice(0), ...(this.#unresolved?.changes ?? [])])
      request.reject(lost)
    const { statements, process, lane } = this.#parts
    if (this.#isRunning) return this.#link?.destroy()
    if (this.#link?.isOpen !== true) return
    await this.#link.run([statements.leave(process, lane)]).catch(() => {})
    await this.#link.close()
  }

  #start(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    this.#turn = null
    this.#isDue = true
    if (this.#isRunning || this.#isClosed) return
    this.#isRunning = true
    void this.#run()
  }

  /** Works until nothing waits. Never rejects: what goes wrong is answered to those it concerns. */
  async #run(): Promise<void> {
    let failures = 0
    while (!this.#isClosed && this.#hasWork()) {
      const link = await this.#reach()
      if (this.#isClosed) break
      const isDone = link !== null && (await this.#workOn(link))
      failures = isDone ? 0 : failures + 1
      if (isDone) await this.#gather()
      else await pause(link === null ? REACH_MS : Math.min(RETRY_MS * 2 ** failures, REACH_MS))
    }
    this.#isRunning = false
    for (const resolve of this.#idle.splice(0)) resolve()
  }

  async #gather(): Promise<void> {
    const untilMs = monotonicMs() + GATHER_MS
    let before = -1
    for (let turns = 0; turns < EMPTY_TURNS || this.#waiting.length > before; turns += 1) {
      if (monotonicMs() >= untilMs) return
      before = this.#waiting.length
      await nextTurn()
    }
  }

  #hasWork(): boolean {
    const isDue = this.#isDue && this.#waiting.length > 0
    return isDue || this.#unresolved !== null || this.#isTouchDue || this.#fault !== null
  }

  /** The connection, made anew where it was lost; null when the server cannot be reached now. */
  async #reach(): Promise<Link | null> {
    if (this.#link?.isOpen === true) return this.#link
    const { settings, statements, process, lane } = this.#parts
    try {
      this.#link = await openLink(settings.connectionString, settings.timeoutMs)
      await this.#link.run([statements.touch(process, lane)])
      this.#fault = null
      return this.#link
    } catch (error) {
      this.#drop()
      // Those who wait longer than they may are answered by `#giveUp`; from then on nobody else has to wait.
      if (this.#fault !== null) this.#fault = unavailable('it cannot be reached', error)
      return null
    }
  }

  #drop(): void {
    this.#link?.destroy()
    this.#link = null
  }

  /** One transaction, or one look at what became of the last. False when it makes sense to wait before the next. */
  async #workOn(link: Link): Promise<boolean> {
    if (this.#unresolved !== null) return this.#resolve(link, this.#unresolved)
    this.#isTouchDue = false
    const changes = this.#take()
    if (changes.length === 0) return this.#touchOn(link)
    this.#current = changes
    this.#batch += 1
    try {
      const isWritten = await this.#batches.run(link, this.#batch, changes, () => (this.#isCommitting = true))
      if (isWritten) this.#answer(changes)
      else this.#putBack(changes)
      return true
    } catch (error) {
      return await this.#fail(link, changes, error)
    } finally {
      this.#current = []
      this.#isCommitting = false
    }
  }

  #answer(changes: readonly Pending[]): void {
    this.#fault = null
    answer([changes.filter(({ isGivenUp }) => !isGivenUp)])
  }

  async #touchOn(link: Link): Promise<boolean> {
    const { statements, process, lane } = this.#parts
    try {
      await link.run([statements.touch(process, lane)])
      this.#fault = null
      return true
    } catch {
      this.#drop()
      return false
    }
  }

  #take(): Pending[] {
    const limit = this.#apart > 0 ? 1 : MAX_BATCH
    if (this.#apart > 0) this.#apart -= 1
    this.#isDue = this.#waiting.length > limit
    return this.#waiting.splice(0, limit).filter(({ isGivenUp }) => !isGivenUp)
  }

  #putBack(changes: readonly Pending[]): void {
    this.#isDue = true
    this.#waiting = [...changes.filter(({ isGivenUp }) => !isGivenUp), ...this.#waiting]
  }

  /** Puts back what may succeed later and answers the rest. False when it makes sense to wait before the next try. */
  async #fail(link: Link, changes: readonly Pending[], error: unknown): Promise<boolean> {
    const fault = faultOf(error, link.isOpen)
    if (fault === 'lost') {
      this.#drop()
      if (this.#isCommitting) this.#unresolved = { batch: this.#batch, changes }
      else this.#putBack(changes)
      return true
    }
    await link.run([this.#parts.statements.rollback]).catch(() => link.destroy())
    if (fault === 'full') this.#refuseAll(changes, error)
    else if (fault === 'guilty' && changes.length === 1) for (const { request } of changes) request.reject(asStoreError(error))
    else this.#putBack(changes)
    // One of several spoilt the transaction: each gets one of its own, so that only the guilty one fails.
    if (fault === 'guilty') this.#apart = Math.max(this.#apart, changes.length === 1 ? 0 : changes.length)
    return fault === 'guilty'
  }

  /** The server cannot write: nothing is allowed until it can. Settlements, work that was done, wait for it; the rest is answered. */
  #refuseAll(changes: readonly Pending[], error: unknown): void {
    const fault = asStoreError(error) as FareboxError
    this.#fault = fault
    for (const change of changes) if (!isSettlement(change) && !change.isGivenUp) change.request.reject(fault)
    this.#putBack(changes.filter(isSettlement))
  }

  async #resolve(link: Link, { batch, changes }: Unresolved): Promise<boolean> {
    try {
      const isCommitted = await this.#batches.isCommitted(link, batch)
      this.#unresolved = null
      if (isCommitted) this.#answer(changes)
      else this.#putBack(changes)
      return true
    } catch (error) {
      if (faultOf(error, link.isOpen) === 'lost') this.#drop()
      else await link.run([this.#parts.statements.rollback]).catch(() => link.destroy())
      return false
    }
  }

  /** Answers those who waited as long as they may, and ends a connection that does not answer. */
  #giveUp(): void {
    this.#watch = null
    const now = monotonicMs()
    const isUnknown = this.#isCommitting || this.#unresolved !== null
    const held = [...this.#current, ...(this.#unresolved?.changes ?? [])]
    for (const change of held) giveUp(change, now, isUnknown ? { outcome: 'unknown' } : {})
    for (const change of this.#waiting) giveUp(change, now, {})
    this.#waiting = this.#waiting.filter(({ isGivenUp }) => !isGivenUp)
    const sentAtMs = this.#link?.sentAtMs ?? null
    if (sentAtMs !== null && now - sentAtMs >= this.#parts.settings.timeoutMs) this.#link?.destroy()
    if (this.#link?.isOpen !== true) {
      this.#fault ??= unavailable('it cannot be reached')
      // Nothing is taken until it is reached again, so a lane that is idle has to look for that by itself.
      this.#start()
    }
    const open = [...held, ...this.#waiting].filter((change) => !isSettlement(change) && !change.isGivenUp)
    const earliest = Math.min(...open.map(({ deadlineMs }) => deadlineMs ?? Infinity))
    if (earliest < Infinity) this.#watch = setTimeout(() => this.#giveUp(), Math.max(1, earliest - now))
  }
}

function giveUp(change: Pending, now: number, fields: Record<string, unknown>): void {
  if (change.isGivenUp || (change.deadlineMs ?? Infinity) > now) return
  change.isGivenUp = true
  change.request.reject(unavailable('it took too long', undefined, fields))
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** With jitter, so that processes that met once do not meet again. */
function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms * (1 + (monotonicMs() % 1))))
}
