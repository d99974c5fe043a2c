/** The file that a command writes its report to as JSON. */

import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { CommandError, messageOf } from './command-error.ts'

/** Found out before the work, not after it. */
export function requireWritable(file: string): void {
  try {
    mkdirSync(path.dirname(file), { recursive: true })
    writeFileSync(file, '', { flag: 'a' })
  } catch (error) {
    throw new CommandError(`The report cannot be written to ${file} (${messageOf(error)}): give another path with --json`)
  }
}

export function writeReport(file: string, report: object): void {
  writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`)
}
