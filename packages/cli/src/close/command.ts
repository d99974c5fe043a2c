/** `farebox close` as a whole: makes the invoices that are due, shows the progress, and says what was made and what was not. */

import { createFarebox, formatInstant, formatMoney, type CloseResult, type Farebox, systemClock } from '@farebox/core'
import { CommandError } from '../command-error.ts'
import { type Database, openDatabase } from '../database.ts'
import { readInstant } from '../instants.ts'
import { modelsFor } from '../models.ts'
import { count, type Progress, startProgress } from '../progress.ts'
import { openReading } from '../reading.ts'
import { requireWritable, writeReport } from '../report-file.ts'
import { STOPPED_STATUS, stopSignal } from '../stop-signal.ts'
import { type Config, loadConfig } from './config.ts'
import { type Due, readDue } from './due.ts'
import { createMade, type Made } from './made.ts'

export interface CloseCommandOptions {
  /** A path or a URL. */
  readonly database: string
  readonly until?: string
  /** Path of a module with the application's options. */
  readonly config?: string
  readonly series?: string
  /** What becomes of reservations whose process died. */
  readonly onCrash?: 'charge' | 'void'
  readonly dryRun?: boolean
  /** Where the result is written as JSON. */
  readonly json?: string
}

/** Rejects with a `CommandError` for what the user can mend, for a signal, and when an invoice is held back. */
export async function closeCommand(options: CloseCommandOptions): Promise<void> {
  const { json } = options
  const now = systemClock.now()
  const until = options.until === undefined ? now : readInstant(options.until, '--until')
  if (until > now) throw new CommandError(`--until is ${formatInstant(until)}, which has not come: its period is still running`)
  if (json !== undefined) requireWritable(json)
  const config = options.config === undefined ? {} : await loadConfig(options.config)
  const database = await openDatabase(options.database)
  try {
    const { made, result } = await closeDue({ options, config, database, until })
    if (json !== undefined) writeReport(json, reportOf({ made, result, until, isDry: options.dryRun === true }))
    console.log(textOf({ made, result, until, isDry: options.dryRun === true }))
    if (result.held.length > 0)
      throw new CommandError(`${count(result.held.length)} invoices are held back: farebox verify says what disagrees`)
  } finally {
    await database.store.close()
  }
}

interface Closing {
  readonly options: CloseCommandOptions
  readonly config: Config
  readonly database: Database
  readonly until: number
}

interface Closed {
  readonly made: Made
  readonly result: CloseResult
}

async function closeDue(closing: Closing): Promise<Closed> {
  const { database, until } = closing
  console.error(`Reading ${database.store.facts.location}`)
  const due = await readDue(database.store, until)
  const farebox = await openFarebox(closing, due)
  try {
    return await closeShown(farebox, until, due)
  } finally {
    await farebox.stop()
  }
}

async function openFarebox({ options, config, database }: Closing, due: Due): Promise<Farebox> {
  const { tax } = config
  if (due.hasTax && tax === undefined)
    throw new CommandError(
      'The invoices so far have taxes, and nobody says what they are now: give --config a module that exports { tax } as its default',
    )
  const series = options.series ?? config.invoiceSeries ?? seriesOf(due)
  const onCrash = options.onCrash ?? config.onCrash
  const others = {
    ...config,
    ...(series === undefined ? {} : { invoiceSeries: series }),
    ...(onCrash === undefined ? {} : { onCrash }),
  }
  if (options.dryRun === true) return (await openReading(database, systemClock, others)).farebox
  if (onCrash === undefined) await refuseOrphans(database)
  const [catalog] = database.catalogs
  if (catalog === undefined) throw new CommandError('The database holds no catalog')
  const models = config.models ?? (await modelsFor(database.catalogs))
  const farebox = createFarebox({ ...others, catalog, store: database.store, ...(models === undefined ? {} : { models }) })
  await farebox.ready
  return farebox
}

/** Ending them is not for this command to choose. */
async function refuseOrphans({ store }: Database): Promise<void> {
  const { length } = await store.orphans()
  if (length > 0)
    throw new CommandError(
      `${count(length)} reservations are of processes that died: give --on-crash charge or --on-crash void, the rule that your application has`,
    )
}

/** Numbers go on in the series that the invoices so far are in. */
function seriesOf({ series }: Due): string | undefined {
  if (series.size <= 1) return [...series][0]
  throw new CommandError(
    `The invoices so far are in the series ${[...series].toSorted().join(' and ')}: give --series one of them`,
  )
}

async function closeShown(farebox: Farebox, until: number, { moments, customers }: Due): Promise<Closed> {
  const made = createMade()
  const { signal, release } = stopSignal()
  const title = `Closing ${count(moments)} periods of ${count(customers)} customers`
  const progress: Progress = startProgress({ title, steps: Math.max(moments, 1), output: process.stderr })
  try {
    const result = await farebox.closePeriods({
      until,
      onInvoice(invoice) {
        made.add(invoice)
        progress.advance(Math.min(made.count(), moments))
        // What is on its way is final; the same command makes the rest.
        if (signal.aborted) throw new CommandError('Stopped: the same command goes on', STOPPED_STATUS)
      },
    })
    progress.stop('Closed')
    return { made, result }
  } catch (error) {
    progress.stop('Stopped')
    throw error
  } finally {
    release()
  }
}

interface Shown extends Closed {
  readonly until: number
  readonly isDry: boolean
}

function reportOf({ made, result: { drafts, held, waiting }, until, isDry }: Shown): object {
  return {
    until: formatInstant(until),
    written: !isDry,
    invoices: made.count(),
    first: isDry ? null : made.first(),
    last: isDry ? null : made.last(),
    totals: made.totals().map(({ currency, invoices, total, due }) => ({
      currency,
      invoices,
      total: formatMoney(total),
      amount_due: formatMoney(due),
    })),
    drafts,
    held: held.map(({ customerId, differences }) => ({
      customer: customerId,
      features: differences.map(({ feature, periodStart }) => ({ feature, period_start: formatInstant(periodStart) })),
    })),
    waiting,
  }
}

const SHOWN = 10

function textOf({ made, result: { drafts, held, waiting }, until, isDry }: Shown): string {
  const range = isDry || made.first() === null ? '' : `, ${made.first()} to ${made.last()}`
  return [
    `${isDry ? 'would be made' : 'made'} up to ${formatInstant(until)}: ${count(made.count())} invoices${range}`,
    ...made
      .totals()
      .map(({ currency, total, due }) => `  ${currency} ${formatMoney(total)}, of which ${formatMoney(due)} is to be paid`),
    ...listed('drafts that still take what comes late', drafts),
    ...listed(
      'held back, because a total does not equal its events',
      held.map(({ customerId }) => customerId),
    ),
    ...listed('waiting for requests in flight: close again', waiting),
  ].join('\n')
}

function listed(what: string, customers: readonly string[]): string[] {
  if (customers.length === 0) return []
  const more = customers.length > SHOWN ? ` and ${count(customers.length - SHOWN)} more` : ''
  return [`${what}: ${customers.slice(0, SHOWN).join(', ')}${more}`]
}
