/** One connection, on which a group of commands is sent together and answered together. */

import type { Socket } from 'node:net'
import { invariant, monotonicMs } from '@farebox/core/contracts'
import pg, { type QueryResult } from 'pg'

/** One statement. With a name it is prepared once per connection. */
export interface Command {
  readonly name?: string
  readonly text: string
  readonly values?: readonly unknown[]
}

export interface Link {
  /**
   * Sends all at once and resolves with a result for each. Rejects with the first error, when all were answered. Resolves only
   * once everything was answered, so the connection is free again in either case.
   */
  run(commands: readonly Command[]): Promise<readonly QueryResult[]>
  /** When the group that is under way was sent (monotonic); null when none is. */
  readonly sentAtMs: number | null
  /** False once the connection was lost. */
  readonly isOpen: boolean
  /** Ends the connection at once; what is under way rejects. */
  destroy(): void
  /** Ends the connection in good order. */
  close(): Promise<void>
}

/** Rejects when the server cannot be reached within the time. */
export async function openLink(connectionString: string, timeoutMs: number): Promise<Link> {
  const client = new pg.Client({
    connectionString,
    connectionTimeoutMillis: timeoutMs,
    keepAlive: true,
    pipeline: true,
    application_name: 'farebox',
  })
  let isOpen = true
  let sentAtMs: number | null = null
  const lose = (): void => void (isOpen = false)
  client.on('error', lose)
  client.on('end', lose)
  await client.connect()
  const { stream } = (client as pg.Client & { readonly connection: { readonly stream: Socket } }).connection

  return {
    async run(commands) {
      invariant(commands.length > 0, 'there is something to run')
      // One packet for the whole group.
      stream.cork()
      const sent = commands.map((command) => client.query(command as pg.QueryConfig))
      stream.uncork()
      sentAtMs = monotonicMs()
      const answered = await Promise.allSettled(sent)
      sentAtMs = null
      const failed = answered.find((one) => one.status === 'rejected')
      if (failed !== undefined) throw failed.reason
      return answered.map((one) => (one as PromiseFulfilledResult<QueryResult>).value)
    },
    get sentAtMs() {
      return sentAtMs
    },
    get isOpen() {
      return isOpen
    },
    destroy() {
      isOpen = false
      stream.destroy()
    },
    async close() {
      isOpen = false
      await client.end().catch(() => {})
    },
  }
}

/** The rows that one command of a group gave. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the statement's text decides what its rows are
export function rowsOf<Row>(results: readonly QueryResult[], place: number): readonly Row[] {
  const result = results[place]
  invariant(result !== undefined, 'every command has a result')
  return result.rows as Row[]
}
