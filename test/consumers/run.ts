/** Runs a program as a person does in a terminal. */

import { execFile } from 'node:child_process'

/** Enough for an installation over a slow line. */
export const TIMEOUT_MS: number = 240_000

/** Resolves with what the program printed, on both streams. Rejects with it when the program fails or does not end. */
export function run(folder: string, program: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(program, args, { cwd: folder, timeout: TIMEOUT_MS }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout + stderr)
      else reject(new Error(`${program} ${args.join(' ')}: ${error.message}\n${stdout}`, { cause: error }))
    })
  })
}
