/** The command line: its commands, their options, and how errors end it. */

import { Command, InvalidArgumentError } from 'commander'
import { doctorCommand } from './doctor/doctor.ts'
import { exitStatusOf } from './exit-status.ts'
import { replayCommand } from './replay/command.ts'
import { loadTarget } from './replay/target.ts'

interface ReplayFlags {
  readonly app: string
  readonly database: string
  readonly json?: string
  readonly html?: string
  readonly port?: number
  readonly resume?: boolean
  readonly fresh?: boolean
}

/** Runs the command line; the promise gives the exit status. */
export async function run(args: readonly string[]): Promise<number> {
  return exitStatusOf(async () => {
    await program().parseAsync(args, { from: 'user' })
  })
}

function program(): Command {
  const farebox = new Command('farebox')
    .description('Meters, gates and bills an HTTP API')
    .exitOverride()
    .showHelpAfterError('(farebox --help shows the usage)')
  farebox
    .command('replay')
    .description('send an access log to a metered application as real requests, then close the months it covers and report')
    .argument('[log]', 'path of the log (Apache or nginx, common or combined, plain or gzipped), or - for standard input', '-')
    .requiredOption('--app <module>', 'module whose default export is { catalog, createApp, planFor }')
    .option('--database <file>', 'database file, kept for --resume', 'replay.db')
    .option('--resume', 'go on with the database of a replay that was cut off')
    .option('--fresh', 'replace a database that is there')
    .option('--json <file>', 'write the report as JSON')
    .option('--html <folder>', 'write the invoices as HTML pages')
    .option('--port <number>', 'loopback port of the application during the replay (default: any free one)', parsePort)
    .action(async (log: string, { app, ...flags }: ReplayFlags) => {
      await replayCommand({ log, target: await loadTarget(app), ...flags })
    })
  farebox
    .command('doctor')
    .description(
      'print versions, modes, file system, room, clock and open reservations of a database, and what is wrong with each',
    )
    .argument('<database>', 'the file that sqlite({ path }) was given')
    .action(doctorCommand)
  return farebox
}

/** A port number as a command line gives it. */
export function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Infinity
  if (port > 65_535) throw new InvalidArgumentError('give a whole number from 0 to 65535')
  return port
}
