/** How a command ends: its exit status, and one sentence for what the user can mend. */

import { FareboxError } from '@farebox/core'
import { CommanderError } from 'commander'
import { CommandError } from './command-error.ts'

/** Runs a command and prints what the user can mend as one sentence. Anything else is a defect and keeps its stack. */
export async function exitStatusOf(command: () => Promise<void>): Promise<number> {
  try {
    await command()
    return 0
  } catch (error) {
    // Commander has printed its own message, or the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode
    if (error instanceof CommandError || error instanceof FareboxError) console.error(`farebox: ${error.message}`)
    else console.error(error)
    return error instanceof CommandError ? error.exitStatus : 1
  }
}
