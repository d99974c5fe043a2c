/** The command line: its commands, their options, and how errors end it. */

import { Command, InvalidArgumentError, Option } from 'commander'
import { closeCommand } from './close/command.ts'
import { DATABASE_OPTION } from './database.ts'
import { doctorCommand } from './doctor/doctor.ts'
import { exitStatusOf } from './exit-status.ts'
import { EXPORT_FORMATS, exportCommand } from './export/command.ts'
import { importCommand } from './import/command.ts'
import { invoicesCommand, STATUSES } from './invoices/command.ts'
import { moveCommand } from './move/command.ts'
import { distributeCommand, retainCommand } from './postgres/command.ts'
import { checkProofCommand } from './proof/check-command.ts'
import { proofCommand } from './proof/command.ts'
import { replayCommand } from './replay/command.ts'
import { loadTarget } from './replay/target.ts'
import { simulateCommand } from './simulate/command.ts'
import { verifyCommand } from './verify/command.ts'

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
    .command('move')
    .description('move everything from one store to another, go on where it was cut off, and compare the two at the end')
    .requiredOption('--from <store>', 'a SQLite file, or a PostgreSQL as postgres://user@host/database?schema=farebox')
    .requiredOption('--to <store>', 'the same: empty, or begun by this command')
    .addOption(
      new Option('--on-crash <rule>', 'what becomes of reservations whose process died, before they are moved').choices([
        'charge',
        'void',
      ]),
    )
    .option('--json <file>', 'write what was compared as JSON')
    .action(moveCommand)
  addBilling(farebox)
  addExport(farebox)
  farebox
    .command('doctor')
    .description(
      'print versions, modes, file system, room, clock and open reservations of a database, and what is wrong with each',
    )
    .argument(
      '<database>',
      'the file that sqlite({ path }) was given, or a PostgreSQL as postgres://user@host/database?schema=farebox',
    )
    .action(doctorCommand)
  addPostgres(farebox)
  return farebox
}

/** What is done with the invoices and the log of a database. */
function addBilling(farebox: Command): void {
  farebox
    .command('close')
    .description('make the invoices of all periods that ended; killed and run again it makes each once')
    .requiredOption('--database <store>', DATABASE_OPTION)
    .option('--until <instant>', 'a day such as 2026-02-01 (UTC) or an instant (default: now)')
    .option('--config <module>', 'module whose default export has the options of createFarebox(): tax, invoiceGraceHours, …')
    .option('--series <name>', 'series of the numbers (default: that of the invoices so far, else FB)')
    .addOption(onCrashOption())
    .option('--dry-run', 'say what would be made, and write nothing')
    .option('--json <file>', 'write what was made as JSON')
    .action(closeCommand)
  farebox
    .command('invoices')
    .description('list invoices, and write them as documents')
    .argument('[names...]', 'numbers or ids (default: all)')
    .requiredOption('--database <store>', DATABASE_OPTION)
    .option('--customer <id>', 'of one customer only')
    .addOption(new Option('--status <status>', 'in one status only').choices(STATUSES))
    .option('--html <folder>', 'write each as an HTML page')
    .option('--json <folder>', 'write each as JSON')
    .option('--pdf <folder>', 'write each as a PDF; needs @farebox/pdf')
    .option('--seller <text>', 'who sells, as printed: name, address and tax id, with \\n between lines')
    .option('--locale <tag>', 'formats amounts and dates of documents, such as de-DE')
    .action(invoicesCommand)
  farebox
    .command('verify')
    .description('recompute every total, grant and invoice from the log, and name what disagrees; writes nothing')
    .requiredOption('--database <store>', DATABASE_OPTION)
    .option('--json <file>', 'write what was found as JSON')
    .action(verifyCommand)
  farebox
    .command('proof')
    .description('print the proof that an event is on a final invoice')
    .argument('<event>', 'its key, or its seq')
    .requiredOption('--database <store>', DATABASE_OPTION)
    .option('--customer <id>', 'whose event; without it the whole log is searched')
    .action(proofCommand)
  farebox
    .command('check-proof')
    .description('check such a proof against the invoice, with nothing else')
    .argument('<invoice>', 'the JSON of the invoice, as farebox invoices --json writes it')
    .argument('<proof>', 'what farebox proof printed')
    .action(checkProofCommand)
  farebox
    .command('simulate')
    .description('bill the recorded log with another catalog, and say per customer what would be different; writes nothing')
    .requiredOption('--catalog <module>', 'module that exports what defineCatalog() returns')
    .requiredOption('--database <store>', DATABASE_OPTION)
    .option('--json <file>', 'write the report as JSON')
    .action(simulateCommand)
}

function addExport(farebox: Command): void {
  farebox
    .command('export')
    .description('write all that a database holds to standard output, or its events for other programs')
    .requiredOption('--database <store>', DATABASE_OPTION)
    .addOption(
      new Option('--format <name>', 'jsonl: everything, for farebox import; csv and cloudevents: the events alone')
        .choices(EXPORT_FORMATS)
        .default('jsonl'),
    )
    .addOption(onCrashOption())
    .action(exportCommand)
  farebox
    .command('import')
    .description('bring all that an export holds into a database, go on where it was cut off, and compare the two at the end')
    .argument('[file]', 'what farebox export wrote, plain or gzipped, or - for standard input', '-')
    .requiredOption('--database <store>', `${DATABASE_OPTION}: empty, or begun by this command`)
    .action(importCommand)
}

function onCrashOption(): Option {
  return new Option('--on-crash <rule>', 'what becomes of reservations whose process died').choices(['charge', 'void'])
}

function addPostgres(farebox: Command): void {
  const postgres = farebox.command('postgres').description('what the operator of a PostgreSQL does beside the application')
  postgres
    .command('distribute')
    .description('print the statements that spread the tables over several servers with Citus')
    .option('--schema <name>', 'the schema that postgres({ schema }) was given', 'farebox')
    .option('--prefix <text>', 'the prefix that postgres({ prefix }) was given', '')
    .action(distributeCommand)
  postgres
    .command('retain')
    .description('drop old months from the log; totals, invoices and the audit stay as they are')
    .argument('<database>', 'postgres://user@host/database?schema=farebox')
    .requiredOption('--before <month>', 'the first month that stays, such as 2025-01')
    .action(retainCommand)
}

/** A port number as a command line gives it. */
export function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Infinity
  if (port > 65_535) throw new InvalidArgumentError('give a whole number from 0 to 65535')
  return port
}
