/** Replays an access log against a metered application, closes the months that it covers, and reports. */

import type { IncomingMessage, RequestListener } from 'node:http'
import { createFarebox, testClock } from '@farebox/core'
import type { Farebox, Invoice, PlanCode, TestClock } from '@farebox/core'
import type { Store } from '@farebox/core/contracts'
import { sqlite } from '@farebox/core/sqlite'
import { CommandError } from '../command-error.ts'
import { STOPPED_STATUS } from '../stop-signal.ts'
import { eachOf } from '../listing.ts'
import { openLog } from '../log-source.ts'
import type { LogSource } from '../log-source.ts'
import { monthOf, nextMonthOf } from '../months.ts'
import { readBilledUsage } from './billed-usage.ts'
import { checkDatabase, removeDatabase } from './database.ts'
import { CLIENT_HEADER } from './headers.ts'
import { openJournal } from './journal.ts'
import type { Journal } from './journal.ts'
import { playLines } from './play.ts'
import { buildReport } from './report.ts'
import type { ReplayReport } from './report.ts'
import { replayClient } from './send.ts'
import { serveReplay } from './server.ts'
import { surveyLog } from './survey.ts'
import type { Survey } from './survey.ts'
import { createTally } from './tally.ts'
import type { Tally } from './tally.ts'
import type { ReplayTarget } from './target.ts'

export interface ReplayOptions {
  /** Path of the log, plain or gzipped, or `-` for standard input. */
  readonly log: string
  readonly target: ReplayTarget
  /** Path of the database file. The replay keeps its journal beside it. */
  readonly database: string
  /** Where the log of events goes instead; `database` then only says where the journal is. Default: a SQLite file at `database`. */
  readonly openStore?: () => Store
  /** Go on with the database of an earlier replay of the same log. Default: a database that is there is an error. */
  readonly resume?: boolean
  /** Replace a database that is there. */
  readonly fresh?: boolean
  /** The loopback port of the application while the log is replayed. Default: any free one. */
  readonly port?: number
  /** Stops the run cleanly: the promise then rejects with a `CommandError` that says how to go on. */
  readonly signal?: AbortSignal | undefined
  /** Called with what is known of the log before the first line is sent. */
  onSurvey?(survey: Survey): void
  /** Called after each line with the number of well-formed lines done. */
  onProgress?(done: number): void
}

export interface ReplayResult {
  readonly report: ReplayReport
  readonly invoices: readonly Invoice[]
}

/** How many lines are on their way at once. */
const CONNECTIONS = 32
/** Subscriptions made at once: they share a commit. */
const ENROLLED_AT_ONCE = 500
const INVOICE_PAGE = 1000

/**
 * Sends each well-formed line of the log as a real HTTP request to the application, with the clock at the line's own time,
 * and bills the months that the log covers. Rejects with a `CommandError`, one sentence, for whatever the user can mend.
 *
 * @example
 * const { report } = await replay({ log: 'access.log.gz', target, database: 'replay.db' })
 */
export async function replay(options: ReplayOptions): Promise<ReplayResult> {
  const { database, resume = false, fresh = false } = options
  checkDatabase({ database, resume, fresh })
  const log = await openLog(options.log)
  try {
    const survey = await surveyLog(log)
    options.onSurvey?.(survey)
    if (fresh) removeDatabase(database)
    const journal = openJournal({ database, log: log.name, sha256: survey.sha256, lines: survey.lines })
    try {
      return await replayInto({ options, log, survey, journal })
    } finally {
      journal.close()
    }
  } finally {
    await log.close()
  }
}

interface Run {
  readonly options: ReplayOptions
  readonly log: LogSource
  readonly survey: Survey
  readonly journal: Journal
}

async function replayInto(run: Run): Promise<ReplayResult> {
  const { catalog, upgradeUrl } = run.options.target
  const clock = testClock(monthOf(run.survey.firstAt))
  const farebox = createFarebox({
    catalog,
    clock,
    store: run.options.openStore?.() ?? sqlite({ path: run.options.database }),
    // A line that the dead process had reserved is sent again when the replay resumes.
    onCrash: 'void',
    ...(upgradeUrl === undefined ? {} : { upgradeUrl }),
  })
  try {
    await farebox.ready
    const plans = await enroll(farebox, run)
    const tally = await sendLines(farebox, clock, run)
    return await settleUp({ farebox, clock, run, plans, tally })
  } finally {
    await farebox.stop()
  }
}

/** Subscribes every client as of the first of the month in which the log begins. What an earlier run has done is left. */
async function enroll(farebox: Farebox, { options, survey }: Run): Promise<Map<string, PlanCode>> {
  const startsAt = monthOf(survey.firstAt)
  const plans = new Map<string, PlanCode>()
  for (const [id, lines] of survey.clients) plans.set(id, options.target.planFor({ id, lines }))
  const waiting = [...plans]
  while (waiting.length > 0) {
    const batch = waiting.splice(0, ENROLLED_AT_ONCE)
    const known = await Promise.all(batch.map(([customerId]) => farebox.subscriptions.get(customerId)))
    for (const [index, [customerId, plan]] of batch.entries()) {
      const current = known[index]?.plan ?? plan
      if (current !== plan)
        throw new CommandError(`${customerId} is on the plan ${current} in the database and on ${plan} now: use --fresh`)
    }
    // Asked in one order, so that every replay of a log subscribes, and so numbers, in the same.
    const unknown = batch.filter((_client, index) => known[index] === null)
    await Promise.all(unknown.map(([customerId, plan]) => farebox.subscriptions.create({ customerId, plan, startsAt })))
  }
  return plans
}

async function sendLines(farebox: Farebox, clock: TestClock, { options, log, journal }: Run): Promise<Tally> {
  const app: RequestListener = options.target.createApp({ farebox, clock, identify: byClient, mode: 'replay' })
  const billedBefore = await readBilledUsage(farebox)
  const server = await serveReplay(app, clock, options.port ?? 0)
  const client = replayClient(server, CONNECTIONS)
  const tally = createTally()
  let done = 0
  const onLine = (): void => options.onProgress?.((done += 1))
  try {
    const { signal } = options
    await playLines({ log, client, farebox, journal, tally, billedBefore, connections: CONNECTIONS, signal, onLine })
  } finally {
    client.stop()
    await server.stop()
  }
  if (options.signal?.aborted === true) {
    throw new CommandError(
      `Stopped after ${done} requests: the same command with --resume and --database ${options.database} goes on from here`,
      STOPPED_STATUS,
    )
  }
  return tally
}

/** The replay's own header names the customer. It is believed because the port turns other callers away. */
function byClient(request: IncomingMessage): string | undefined {
  const client = request.headers[CLIENT_HEADER]
  return typeof client === 'string' ? client : undefined
}

interface Settling {
  readonly farebox: Farebox
  readonly clock: TestClock
  readonly run: Run
  readonly plans: ReadonlyMap<string, string>
  readonly tally: Tally
}

/** Closes every month that the log covers, audits, and reports. */
async function settleUp({ farebox, clock, run, plans, tally }: Settling): Promise<ReplayResult> {
  const until = nextMonthOf(run.survey.lastAt)
  clock.set(until)
  const { held } = await farebox.closePeriods({ until })
  const audit = await farebox.verify()
  const invoices: Invoice[] = []
  for await (const invoice of eachOf((after) => farebox.invoices.list({ after, limit: INVOICE_PAGE }))) invoices.push(invoice)
  const billed = await readBilledUsage(farebox)
  const report = buildReport({
    catalog: run.options.target.catalog,
    survey: run.survey,
    plans,
    tally,
    billed,
    invoices,
    audit,
    held: held.map((one) => one.customerId),
  })
  return { report, invoices }
}
