/** `farebox postgres`: what the operator of a PostgreSQL does beside the application. */

import { CommandError } from '../command-error.ts'
import { loadPostgres, locationOf } from './load.ts'

/** Prints the statements that spread the tables over several servers; nothing is connected. */
export async function distributeCommand({ schema, prefix }: { schema: string; prefix: string }): Promise<void> {
  const { distributeStatements } = await loadPostgres()
  console.log(distributeStatements({ schema, prefix }).join('\n'))
}

/**
 * Drops the months before one from the log. Rejects with a `CommandError` when a month had to stay, so that the status is 1: what
 * could be dropped is gone, and the same command goes on later.
 */
export async function retainCommand(database: string, { before }: { before: string }): Promise<void> {
  const { retainEvents } = await loadPostgres()
  const months = await retainEvents({ ...locationOf(database), before })
  if (months.length === 0) console.log(`There is no month before ${before} in the log`)
  for (const month of months) {
    const became =
      month.kind === 'dropped'
        ? `${month.events.toLocaleString('en-US')} events counted and dropped`
        : `kept: ${month.openTotals} totals with events in it have no final invoice`
    console.log(`${month.month}  ${became}`)
  }
  const open = months.filter(({ kind }) => kind === 'open')
  if (open.length > 0) throw new CommandError(`${open.length} of ${months.length} months stay: close their periods first`)
}
