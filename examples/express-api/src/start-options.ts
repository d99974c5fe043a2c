/** The options of `npm start`. Nothing of this file needs a build, so a mistake is said before one begins. */

import path from 'node:path'
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'

export interface StartOptions {
  /** Absolute path, or `-` for standard input. */
  readonly log: string
  /** What holds the events: a file, or the PostgreSQL that DATABASE_URL names (without it, one that is started for this run). */
  readonly store: 'sqlite' | 'postgres'
  readonly database: string
  /** Whether the user chose the database: then what it holds is not replaced without `--fresh`. */
  readonly isOwnDatabase: boolean
  readonly html: string
  readonly json: string | undefined
  readonly port: number
  readonly once: boolean
  readonly resume: boolean
  readonly fresh: boolean
  /** How the calls of an LLM trace are billed; null for an access log, which is replayed. */
  readonly trace: TraceFlags | null
}

export interface TraceFlags {
  readonly model: string
  /** Per cent, as a decimal string. */
  readonly margin: string
  readonly customers: number
}

interface Flags {
  readonly format: 'access-log' | 'llm-trace'
  readonly model?: string
  readonly margin?: string
  readonly customers?: number
  readonly log?: string
  readonly store: 'sqlite' | 'postgres'
  readonly database?: string
  readonly html?: string
  readonly json?: string
  readonly port: number
  readonly once?: true
  readonly resume?: true
  readonly fresh?: true
}

const DEFAULT_PORT = 3000
const DEFAULT_CUSTOMERS = 10
/** Each of them has invoices, and a line in the report. */
const MOST_CUSTOMERS = 100_000
/** As a catalog takes it. */
const MOST_PER_CENT = 100_000
const example = path.resolve(import.meta.dirname, '..')
const project = path.resolve(example, '../..')

/** Reads the command line; paths are relative to where the user called npm. Throws a `CommanderError` that is printed already. */
export function readStartOptions(
  args: readonly string[],
  calledFrom: string = process.env['INIT_CWD'] ?? process.cwd(),
): StartOptions {
  const program = command()
  const flags = program.parse(args, { from: 'user' }).opts<Flags>()
  const at = (file: string): string => path.resolve(calledFrom, file)
  return {
    log: flags.log === undefined ? path.join(example, 'sample/access.log.gz') : flags.log === '-' ? '-' : at(flags.log),
    store: flags.store,
    database: flags.database === undefined ? path.join(project, 'var/replay/farebox.db') : at(flags.database),
    isOwnDatabase: flags.database !== undefined,
    html: flags.html === undefined ? path.join(project, 'var/replay/invoices') : at(flags.html),
    json: flags.json === undefined ? undefined : at(flags.json),
    port: flags.port,
    once: flags.once === true,
    resume: flags.resume === true,
    fresh: flags.fresh === true,
    trace: readTraceFlags(flags, (message) => program.error(`error: ${message}`)),
  }
}

function readTraceFlags({ format, log, model, margin, customers }: Flags, refuse: (message: string) => never): TraceFlags | null {
  if (format === 'access-log') {
    const given = Object.entries({ model, margin, customers }).find(([, value]) => value !== undefined)
    return given === undefined ? null : refuse(`--${given[0]} is of an LLM trace: give --format llm-trace, or leave it out`)
  }
  if (log === undefined) return refuse('an LLM trace has no sample here: give --log the path of one')
  if (model === undefined) return refuse('an LLM trace does not say which model answered: give --model one, such as gpt-4o')
  return { model, margin: margin ?? '0', customers: customers ?? DEFAULT_CUSTOMERS }
}

export { CommanderError }

function command(): Command {
  return new Command('npm start --')
    .description('Replays an access log against the example API, bills the month, and leaves the API running.')
    .option('--log <file>', 'access log to replay, plain or gzipped, or - for standard input (default: the sample log)')
    .addOption(
      new Option('--format <name>', 'what the log is: requests to replay, or calls of a language model to bill on a balance')
        .choices(['access-log', 'llm-trace'])
        .default('access-log'),
    )
    .option('--model <name>', 'of an LLM trace: the model that answered, as its provider names it')
    .option('--margin <per cent>', 'of an LLM trace: what is added to the price of the model (default: 0)', parseMargin)
    .option('--customers <number>', 'of an LLM trace: line i belongs to customer c<i mod number> (default: 10)', parseCustomers)
    .option('--once', 'exit after the report instead of leaving the API running')
    .option('--json <file>', 'write the report as JSON')
    .option('--html <folder>', 'write the invoices as HTML pages (default: var/replay/invoices)')
    .addOption(new Option('--store <name>', 'where the events go').choices(['sqlite', 'postgres']).default('sqlite'))
    .option('--database <file>', 'database file (default: a new one under var/replay)')
    .option('--resume', 'go on with the database of a replay that was cut off')
    .option('--fresh', 'replace the database given with --database')
    .option('--port <number>', 'where the API listens afterwards', parsePort, DEFAULT_PORT)
    .allowExcessArguments(false)
    .showHelpAfterError('(npm start -- --help shows the options)')
    .exitOverride()
}

function parseMargin(text: string): string {
  if (/^(0|[1-9]\d{0,5})(\.\d{1,9})?$/.test(text) && Number(text) <= MOST_PER_CENT) return text
  throw new InvalidArgumentError(`give per cent as a plain decimal from 0 to ${MOST_PER_CENT}, such as 20 or 12.5`)
}

function parseCustomers(text: string): number {
  const customers = /^\d{1,6}$/.test(text) ? Number(text) : 0
  if (customers >= 1 && customers <= MOST_CUSTOMERS) return customers
  throw new InvalidArgumentError(`give a whole number from 1 to ${MOST_CUSTOMERS}`)
}

function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Infinity
  if (port > 65_535) throw new InvalidArgumentError('give a whole number from 0 to 65535')
  return port
}
