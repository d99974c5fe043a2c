/** Bills the calls of an LLM trace on a prepaid balance, closes the months that it covers, audits, and reports. */

import { createFarebox, testClock } from '@farebox/core'
import type { Catalog, Farebox, Invoice, TestClock } from '@farebox/core'
import type { ModelPrices, Store } from '@farebox/core/contracts'
import { sqlite } from '@farebox/core/sqlite'
import { CommandError } from '../command-error.ts'
import { eachOf } from '../listing.ts'
import { openLog, type LogSource } from '../log-source.ts'
import { monthOf, nextMonthOf } from '../months.ts'
import { makeFolderOf, removeDatabase } from '../replay/database.ts'
import { STOPPED_STATUS } from '../stop-signal.ts'
import { readCharged } from './charged.ts'
import { buildTraceReport, type TraceReport } from './report.ts'
import { callsOf, customerOf, type NumberedCall, surveyTrace, type TraceSurvey } from './survey.ts'
import { ratesOf, TRACE_FEATURE, TRACE_PLAN, traceCatalog, type TraceRates } from './trace-catalog.ts'

export interface TraceOptions {
  /** Path of the trace, CSV, plain or gzipped, or `-` for standard input. */
  readonly log: string
  /** The model that answered, as its provider names it. */
  readonly model: string
  /** Per cent that is added to the provider's price, as a decimal string. Default `'0'`. */
  readonly margin?: string
  /** Line i belongs to the customer `c<i mod customers>`. Default 10. */
  readonly customers?: number
  /** `modelPrices()` of `@farebox/ai`. */
  readonly models: ModelPrices
  /** Path of the database file. */
  readonly database: string
  /** Where the log of events goes instead. Default: a SQLite file at `database`. */
  readonly openStore?: () => Store
  /** Replace a database that is there. Default: go on with it; what it holds is not billed again. */
  readonly fresh?: boolean
  /** Stops the run cleanly: the promise then rejects with a `CommandError`. */
  readonly signal?: AbortSignal | undefined
  /** Called with what is known of the trace before the first call is billed. */
  onSurvey?(survey: TraceSurvey): void
  /** Called now and then with the number of calls done. */
  onProgress?(done: number): void
}

export interface TraceResult {
  readonly report: TraceReport
  readonly invoices: readonly Invoice[]
}

export const DEFAULT_CUSTOMERS = 10

/** Calls that are billed side by side share a commit. */
const SIDE_BY_SIDE = 2_000
const PAGE = 1_000
const KIND = 'an LLM trace'

/**
 * Each call is an event of its own with the key of its line, at the line's instant, so billing the same trace into the same
 * database again changes nothing. Rejects with a `CommandError`, one sentence, for whatever the user can mend.
 *
 * @example
 * const { report } = await billTrace({ log: 'trace.csv.gz', model: 'gpt-4o', margin: '20', models: modelPrices(), database: 'trace.db' })
 */
export async function billTrace(options: TraceOptions): Promise<TraceResult> {
  const { database, fresh = false, customers = DEFAULT_CUSTOMERS, model, margin = '0' } = options
  const catalog = traceCatalog({ model, margin })
  makeFolderOf(database)
  const log = await openLog(options.log, process.stdin, KIND)
  try {
    const survey = await surveyTrace(log, customers)
    const rates = ratesOf(options.models, model, survey.firstAt)
    options.onSurvey?.(survey)
    if (fresh) removeDatabase(database)
    return await billInto({ options, log, survey, catalog, rates, customers })
  } finally {
    await log.close()
  }
}

interface Run {
  readonly options: TraceOptions
  readonly log: LogSource
  readonly survey: TraceSurvey
  readonly catalog: Catalog
  readonly rates: TraceRates
  readonly customers: number
}

async function billInto(run: Run): Promise<TraceResult> {
  const { options, catalog, survey } = run
  const store = options.openStore?.() ?? sqlite({ path: options.database })
  const clock = testClock(monthOf(survey.firstAt))
  try {
    await store.open()
    await refuseOther(store, run)
  } catch (error) {
    await store.close()
    throw error
  }
  const farebox = createFarebox({ catalog, clock, store, models: options.models })
  try {
    await farebox.ready
    await enroll(farebox, run)
    const unpriced = await billCalls(farebox, clock, run)
    return await settleUp({ farebox, store, clock, run, unpriced })
  } finally {
    await farebox.stop()
  }
}

/** A database is gone on with where it holds the bill of this very model, margin and number of customers. */
async function refuseOther(store: Store, { options, catalog, customers }: Run): Promise<void> {
  const catalogs = await store.catalogs()
  if (catalogs.length === 0) return
  const isOurs = catalogs.some(({ version }) => version === catalog.version)
  if (!isOurs) throw otherBill(options.database, 'something else than this model with this margin')
  let enrolled = 0
  for await (const id of eachOf((after) => store.customerIds({ after, limit: PAGE }))) if (/^c\d+$/.test(id)) enrolled += 1
  const { items } = await store.log({ limit: 1 })
  const isSame = enrolled === customers || (enrolled < customers && items.length === 0)
  if (!isSame) throw otherBill(options.database, `the calls of ${enrolled} customers`)
}

function otherBill(database: string, what: string): CommandError {
  return new CommandError(`${database} holds ${what}: give another file with --database, or --fresh to replace it`)
}

/** From the first of the trace's first month on, in their order, so that every run numbers their invoices alike. */
async function enroll(farebox: Farebox, { survey }: Run): Promise<void> {
  const startsAt = monthOf(survey.firstAt)
  const ids = [...survey.customers.keys()]
  for (let first = 0; first < ids.length; first += SIDE_BY_SIDE) {
    const some = ids.slice(first, first + SIDE_BY_SIDE)
    await Promise.all(some.map((customerId) => farebox.subscriptions.create({ customerId, plan: TRACE_PLAN, startsAt })))
  }
}

/** Gives the number of calls that have no price. */
async function billCalls(farebox: Farebox, clock: TestClock, run: Run): Promise<number> {
  const { log, options, survey } = run
  // Lines are not quite in the order of time, and an event may not be of a time to come.
  clock.set(survey.lastAt)
  let batch: NumberedCall[] = []
  let done = 0
  let unpriced = 0
  for await (const call of callsOf(log)) {
    batch.push(call)
    if (batch.length >= SIDE_BY_SIDE) await write()
  }
  await write()
  return unpriced

  async function write(): Promise<void> {
    if (options.signal?.aborted === true)
      throw new CommandError(
        `Stopped after ${done} calls: the same command with --database ${options.database} and without --fresh goes on from here`,
        STOPPED_STATUS,
      )
    const queued = await Promise.all(batch.map((call) => billCall(farebox, run, call)))
    unpriced += queued.filter(Boolean).length
    options.onProgress?.((done += batch.length))
    batch = []
  }
}

/** Whether the call waits for a price. */
async function billCall(farebox: Farebox, { options, customers }: Run, call: NumberedCall): Promise<boolean> {
  const { index, at, inputTokens, outputTokens } = call
  const tracked = await farebox.usage.track({
    customerId: customerOf(index, customers),
    feature: TRACE_FEATURE,
    idempotencyKey: `line-${index}`,
    timestamp: at,
    model: options.model,
    inputTokens,
    outputTokens,
  })
  if (tracked.kind === 'conflict') throw otherBill(options.database, `the bill of another trace (line ${index} differs)`)
  if (tracked.kind === 'refused') throw new CommandError(`The call of line ${index} was refused: ${tracked.refusal.code}`)
  return tracked.kind === 'queued'
}

interface Settling {
  readonly farebox: Farebox
  readonly store: Store
  readonly clock: TestClock
  readonly run: Run
  readonly unpriced: number
}

/** Closes every month that the trace covers, audits, and reports. */
async function settleUp({ farebox, store, clock, run, unpriced }: Settling): Promise<TraceResult> {
  const { survey, rates, catalog, options } = run
  const until = nextMonthOf(survey.lastAt)
  clock.set(until)
  const { held } = await farebox.closePeriods({ until })
  const audit = await farebox.verify()
  const invoices: Invoice[] = []
  for await (const invoice of eachOf((after) => farebox.invoices.list({ after, limit: PAGE }))) invoices.push(invoice)
  const charged = await readCharged(store, monthOf(survey.lastAt))
  const report = buildTraceReport({
    options,
    catalog,
    survey,
    rates,
    charged,
    invoices,
    audit,
    held: held.map(({ customerId }) => customerId),
    unpriced,
  })
  return { report, invoices }
}
