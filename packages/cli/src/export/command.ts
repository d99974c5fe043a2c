/** `farebox export` as a whole: writes all that a database holds, or its events, to standard output. */

import { once } from 'node:events'
import type { Store } from '@farebox/core/contracts'
import { codeOf, CommandError } from '../command-error.ts'
import { openDatabase } from '../database.ts'
import { resolveOrphans } from '../move/orphans.ts'
import { openStore } from '../move/stores.ts'
import { count } from '../progress.ts'
import { cloudEventLines, csvLines } from './event-formats.ts'
import { exportLines } from './export.ts'

export type ExportFormat = 'jsonl' | 'csv' | 'cloudevents'

export const EXPORT_FORMATS: readonly ExportFormat[] = ['jsonl', 'csv', 'cloudevents']

export interface ExportCommandOptions {
  /** A path or a URL. */
  readonly database: string
  readonly format: ExportFormat
  /** What becomes of reservations whose process died, before they are exported. */
  readonly onCrash?: 'charge' | 'void'
}

const FORMATS: Readonly<Record<ExportFormat, (store: Store) => AsyncGenerator<string>>> = {
  jsonl: exportLines,
  csv: csvLines,
  cloudevents: cloudEventLines,
}

/** Lines that are written at once. */
const CHUNK_LENGTH = 64 * 1024
const SHOWN_EACH = 1_000_000

export async function exportCommand({ database: location, format, onCrash }: ExportCommandOptions): Promise<void> {
  const { store } = await openDatabase(location)
  try {
    if (onCrash !== undefined) await resolveOrphans(await openStore(location), onCrash)
    console.error(`Reading ${store.facts.location}`)
    const lines = await write(FORMATS[format](store), process.stdout)
    console.error(`${count(lines)} lines written`)
  } finally {
    await store.close()
  }
}

/** Waits whenever the reader is slower. */
async function write(lines: AsyncGenerator<string>, output: NodeJS.WriteStream): Promise<number> {
  const failed = once(output, 'error').then(([error]) => Promise.reject(outputError(error)))
  failed.catch(() => {})
  let chunk = ''
  let written = 0
  for await (const line of lines) {
    chunk += `${line}\n`
    written += 1
    if (written % SHOWN_EACH === 0) console.error(`  ${count(written)} lines`)
    if (chunk.length < CHUNK_LENGTH) continue
    if (!output.write(chunk)) await Promise.race([once(output, 'drain'), failed])
    chunk = ''
  }
  await Promise.race([new Promise<void>((resolve) => output.write(chunk, () => resolve())), failed])
  return written
}

function outputError(error: unknown): unknown {
  if (codeOf(error) === 'EPIPE') return new CommandError('The reader of the export went away: nothing was written any more')
  return codeOf(error) === 'ENOSPC' ? new CommandError('There is no room for the export: write it to another disk') : error
}
