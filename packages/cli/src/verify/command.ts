/** `farebox verify` as a whole: recomputes every total, grant and invoice from the log, and names what disagrees. */

import type { Audit } from '@farebox/core'
import { CommandError } from '../command-error.ts'
import { openDatabase } from '../database.ts'
import { count } from '../progress.ts'
import { openReading } from '../reading.ts'
import { requireWritable, writeReport } from '../report-file.ts'

export interface VerifyCommandOptions {
  /** A path or a URL. */
  readonly database: string
  /** Where the result is written as JSON. */
  readonly json?: string
}

const SHOWN_DIFFERENCES = 50

/** Changes nothing. Rejects with a `CommandError` when something disagrees. */
export async function verifyCommand({ database: location, json }: VerifyCommandOptions): Promise<void> {
  if (json !== undefined) requireWritable(json)
  const database = await openDatabase(location)
  console.error(`Reading ${database.store.facts.location}`)
  const { farebox } = await openReading(database)
  try {
    const first = await farebox.verify()
    // The log is read after the totals: an application that writes meanwhile is no difference.
    const audit = first.ok ? first : await farebox.verify()
    if (json !== undefined) writeReport(json, reportOf(audit))
    console.log(textOf(audit))
    if (!audit.ok) throw new CommandError('Totals, grants and invoices are not what the log says')
  } finally {
    await farebox.stop()
  }
}

function reportOf({ ok, events, differences }: Audit): object {
  return {
    ok,
    events,
    differences: differences.map(({ kind, customerId, message, events: places }) => ({
      kind,
      customer: customerId,
      message,
      events: places,
    })),
  }
}

function textOf({ ok, events, differences }: Audit): string {
  if (ok) return `ok: totals, grants and invoices are what ${count(events)} events in the log say`
  const shown = differences.slice(0, SHOWN_DIFFERENCES).map(({ message }) => `  ${message}`)
  const more = differences.length - shown.length
  return [
    `${count(differences.length)} DIFFERENCES in ${count(events)} events`,
    ...shown,
    ...(more > 0 ? [`  and ${count(more)} more`] : []),
  ].join('\n')
}
