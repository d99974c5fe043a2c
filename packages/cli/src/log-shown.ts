/** Works through a log where a person watches: malformed lines are told first, then how far it is; a signal stops it cleanly. */

import { count, type Progress, startProgress } from './progress.ts'
import { stopSignal } from './stop-signal.ts'

/** What a first reading of a log found. */
export interface Surveyed {
  /** Lines that say something, malformed ones included. */
  readonly lines: number
  readonly malformed: number
  /** The first of them. */
  readonly malformedLines: readonly { readonly line: number; readonly reason: string }[]
}

/** What a work through a log is told with. */
export interface Watched {
  readonly signal: AbortSignal
  onSurvey(survey: Surveyed): void
  /** How many well-formed lines are done. */
  onProgress(done: number): void
}

export interface LogWork<Result> {
  /** What the bar says, of that many well-formed lines: `Replaying 10,000 requests`. */
  title(steps: number): string
  /** What is said at the end. */
  readonly ended: string
  work(watched: Watched): Promise<Result>
}

const SHOWN_MALFORMED = 10

/** Prints to standard error. Rejects with what the work rejects with. */
export async function logShown<Result>({ title, ended, work }: LogWork<Result>): Promise<Result> {
  let progress: Progress | undefined
  const { signal, release } = stopSignal()
  try {
    const result = await work({
      signal,
      onSurvey(survey) {
        showMalformed(survey)
        const steps = survey.lines - survey.malformed
        progress = startProgress({ title: title(steps), steps, output: process.stderr })
      },
      onProgress: (done) => progress?.advance(done),
    })
    progress?.stop(ended)
    return result
  } catch (error) {
    progress?.stop('Stopped')
    throw error
  } finally {
    release()
  }
}

function showMalformed({ malformed, malformedLines }: Surveyed): void {
  for (const { line, reason } of malformedLines.slice(0, SHOWN_MALFORMED))
    console.error(`line ${line} is malformed and skipped: ${reason}`)
  if (malformed > SHOWN_MALFORMED) console.error(`and ${count(malformed - SHOWN_MALFORMED)} more malformed lines`)
}
