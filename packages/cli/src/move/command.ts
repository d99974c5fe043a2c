/** `farebox move` as a whole: opens both stores, shows the progress, prints what was compared and what differs. */

import type { Store } from '@farebox/core/contracts'
import { CommandError } from '../command-error.ts'
import { count, type Progress, startProgress } from '../progress.ts'
import { requireWritable, writeReport } from '../report-file.ts'
import { STOPPED_STATUS, stopSignal } from '../stop-signal.ts'
import { textTable } from '../table.ts'
import { move, type MoveProgress, type MoveResult } from './move.ts'
import { resolveOrphans } from './orphans.ts'
import { openSource, openStore } from './stores.ts'

export interface MoveCommandOptions {
  /** A path or a URL each. */
  readonly from: string
  readonly to: string
  /** What becomes of reservations of the source whose process died. */
  readonly onCrash?: 'charge' | 'void'
  /** Where the result is written as JSON. */
  readonly json?: string
}

const TITLES: Readonly<Record<MoveProgress['step'], string>> = {
  customers: 'Moving customers',
  events: 'Moving events',
  invoices: 'Moving invoices',
  comparison: 'Comparing events',
}

const SHOWN_DIFFERENCES = 20

/** Rejects with a `CommandError` for what the user can mend, and when the target is not what the source is. */
export async function moveCommand({ from, to, onCrash, json }: MoveCommandOptions): Promise<void> {
  if (json !== undefined) requireWritable(json)
  if (onCrash !== undefined) await resolveOrphans(await openSource(from), onCrash)
  const result = await withStores(from, to, moveShown)
  if (json !== undefined) writeReport(json, result)
  console.log(resultText(result))
  if (!result.ok)
    throw new CommandError('The target is not what the source is: keep using the source, and move to an empty target')
}

async function withStores<T>(from: string, to: string, work: (from: Store, to: Store) => Promise<T>): Promise<T> {
  const source = await openSource(from)
  try {
    const target = await openStore(to)
    try {
      if (source.facts.name === target.facts.name && source.facts.location === target.facts.location)
        throw new CommandError(`--from and --to are both ${source.facts.location}: give --to another place`)
      return await work(source, target)
    } finally {
      await target.close()
    }
  } finally {
    await source.close()
  }
}

/** Shows how far it is. Rejects with a `CommandError` when a signal stopped it. */
export async function moveShown(from: Store, to: Store): Promise<MoveResult> {
  let step: MoveProgress['step'] | null = null
  let progress: Progress | null = null
  const { signal, release } = stopSignal()
  console.error(`Reading ${from.facts.location}`)
  try {
    const result = await move({
      from,
      to,
      signal,
      onProgress(now) {
        if (now.step !== step) {
          progress?.stop(`${TITLES[step ?? now.step]}: done`)
          progress = startProgress({ title: TITLES[now.step], steps: now.of, output: process.stderr })
          step = now.step
        }
        progress?.advance(now.done)
      },
    })
    stop(result.ok ? 'Moved and compared' : 'Compared')
    return result
  } catch (error) {
    stop('Stopped')
    if (signal.aborted) throw new CommandError('Stopped: the same command goes on', STOPPED_STATUS)
    throw error
  } finally {
    release()
  }

  function stop(message: string): void {
    progress?.stop(message)
  }
}

export function resultText({ compared, differences }: MoveResult): string {
  const rows = Object.entries(compared).map(([kind, number]) => [`${kind.replace('_', ' ')}s`, count(number)])
  const shown = differences.slice(0, SHOWN_DIFFERENCES).map(({ message }) => `  ${message}`)
  const more = differences.length - shown.length
  const heading = differences.length === 0 ? 'the same in both' : `differences: ${count(differences.length)}`
  return [
    textTable([['compared', 'number'], ...rows]),
    '',
    heading,
    ...shown,
    ...(more > 0 ? [`  and ${count(more)} more`] : []),
  ].join('\n')
}
