/** `farebox doctor`: what is there, and what is wrong with each. */

import { formatInstant, systemClock } from '@farebox/core'
import { inspectSqlite, type SqliteInspection } from '@farebox/core/sqlite'
import { CommandError } from '../command-error.ts'
import { examinePostgres } from '../postgres/doctor.ts'
import { isPostgresUrl } from '../postgres/load.ts'
import { textTable } from '../table.ts'
import { fileSystemOf } from './file-system.ts'
import { type Finding, nodeFinding, schemaFinding } from './findings.ts'

/** With less room than this a busy API fills the disk before somebody looks: 1 GiB. */
const LEAST_FREE_BYTES = 2 ** 30
/** Farebox cuts its write-ahead log back to 64 MiB; four times that means that something keeps it from being checkpointed. */
const LARGEST_WAL_BYTES = 256 * 2 ** 20
/** A timestamp further ahead than this is refused when it is tracked, so the clock was set back since: 5 minutes. */
const MAX_SKEW_MS = 5 * 60 * 1000

/** Prints what was found. Rejects with a `CommandError` when something is wrong, so that the status is 1. */
export async function doctorCommand(database: string): Promise<void> {
  const findings = isPostgresUrl(database) ? await examinePostgres(database) : examine(database)
  console.log(
    textTable([['what', 'found', 'problem'], ...findings.map(({ what, value, problem }) => [what, value, problem ?? ''])], 3),
  )
  const problems = findings.filter(({ problem }) => problem !== null)
  if (problems.length > 0) throw new CommandError(`${problems.length} of ${findings.length} need attention`)
}

/** Looks at the machine and the file; throws `not_found` or `store_unsupported` when it is no database of Farebox's. */
export function examine(database: string): Finding[] {
  const facts = inspectSqlite(database)
  const now = systemClock.now()
  const disk = fileSystemOf(database)
  return [
    nodeFinding(process.versions.node),
    { what: 'SQLite', value: facts.sqliteVersion, problem: null },
    {
      what: 'database',
      value: `${database}, ${mebibytes(facts.databaseBytes)}`,
      problem: facts.damage.length === 0 ? null : `damaged, restore a copy: ${facts.damage.join('; ')}`,
    },
    schemaFinding(facts.schema),
    {
      what: 'journal mode',
      value: facts.journalMode,
      problem: facts.journalMode === 'wal' ? null : 'expected wal: open the file with Farebox once, which sets it',
    },
    { what: 'sync mode', value: "full, unless sqlite({ durability: 'process' })", problem: null },
    {
      what: 'write-ahead log',
      value: mebibytes(facts.walBytes),
      problem:
        facts.walBytes <= LARGEST_WAL_BYTES
          ? null
          : 'something reads for long and keeps it from being cut back: end long read transactions',
    },
    { what: 'file system', value: disk.name, problem: disk.problem },
    {
      what: 'free space',
      value: mebibytes(disk.freeBytes),
      problem: disk.freeBytes >= LEAST_FREE_BYTES ? null : 'less than 1 GiB: make room, a full disk stops metering with 503',
    },
    clockFinding(facts, now),
    { what: 'events', value: facts.events.toLocaleString('en-US'), problem: null },
    ...reservationFindings(facts),
  ]
}

function clockFinding({ newestEventAt }: SqliteInspection, now: number): Finding {
  const isAhead = newestEventAt !== null && newestEventAt > now + MAX_SKEW_MS
  const problem = isAhead
    ? `the newest event is of ${formatInstant(newestEventAt)}: this clock was set back, or that one was ahead`
    : null
  return { what: 'clock', value: formatInstant(now), problem }
}

function reservationFindings({ processes }: SqliteInspection): Finding[] {
  if (processes.length === 0) return [{ what: 'open reservations', value: 'none', problem: null }]
  return processes.map(({ process, isAlive, reservations, oldestAt }) => ({
    what: 'open reservations',
    value: `${reservations} of ${process}, ${isAlive ? 'running' : 'dead'}, the oldest of ${formatInstant(oldestAt)}`,
    problem: isAlive ? null : 'their process died: start Farebox on this file, which resolves them by onCrash',
  }))
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toLocaleString('en-US', { maximumFractionDigits: 1 })} MiB`
}
