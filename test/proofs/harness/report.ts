/** How a proof is run and how its figures are told: one line for a reader, one line of JSON for the results file. */

import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { onTestFinished } from 'vitest'

/** `PROVE=long` chooses the long version; the short one is part of `npm test`. */
export const isLong: boolean = process.env['PROVE'] === 'long'

export type Figures = Readonly<Record<string, number | string | boolean>>

/** Tells the figures of a proof and of its negative control, and appends them to the file that PROVE_RESULTS names. */
export function report(proof: string, figures: Figures, control?: Figures): void {
  const mode = isLong ? 'long' : 'short'
  const line = `${proof} (${mode}): ${told(figures)}${control === undefined ? '' : ` · control: ${told(control)}`}`
  process.stdout.write(`${line}\n`)
  const file = process.env['PROVE_RESULTS']
  if (file !== undefined)
    appendFileSync(file, `${JSON.stringify({ proof, mode, ...figures, ...(control === undefined ? {} : { control }) })}\n`)
}

/** A folder of the running test's own, gone when the test is. */
export function ownFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'farebox-proof-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** Asks again every few milliseconds until it is so; throws when it is not in time. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>, withinMs: number): Promise<void> {
  const deadline = performance.now() + withinMs
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`Expected within ${withinMs} ms: ${what}`)
    await sleep(10)
  }
}

function told(figures: Figures): string {
  return Object.entries(figures)
    .map(([name, value]) => `${name} ${typeof value === 'number' ? Math.round(value * 100) / 100 : value}`)
    .join(', ')
}
