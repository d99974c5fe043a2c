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
}

interface Flags {
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
const example = path.resolve(import.meta.dirname, '..')
const project = path.resolve(example, '../..')

/** Reads the command line; paths are relative to where the user called npm. Throws a `CommanderError` that is printed already. */
export function readStartOptions(
  args: readonly string[],
  calledFrom: string = process.env['INIT_CWD'] ?? process.cwd(),
): StartOptions {
  const flags = command().parse(args, { from: 'user' }).opts<Flags>()
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
  }
}

export { CommanderError }

function command(): Command {
  return new Command('npm start --')
    .description('Replays an access log against the example API, bills the month, and leaves the API running.')
    .option('--log <file>', 'access log to replay, plain or gzipped, or - for standard input (default: the sample log)')
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

function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Infinity
  if (port > 65_535) throw new InvalidArgumentError('give a whole number from 0 to 65535')
  return port
}
