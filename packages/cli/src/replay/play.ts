/** Sends the lines of a log that no earlier run has done, in each customer's order, and notes what became of each. */

import type { Farebox } from '@farebox/core'
import type { AccessLine } from '../access-log.ts'
import { CommandError } from '../command-error.ts'
import type { LogSource } from '../log-source.ts'
import type { BilledUsage } from './billed-usage.ts'
import type { Journal } from './journal.ts'
import type { Outcome } from './outcome.ts'
import { runInOrder } from './schedule.ts'
import type { Client } from './send.ts'
import { requestLines } from './survey.ts'
import type { Tally } from './tally.ts'

export interface PlayOptions {
  readonly log: LogSource
  readonly client: Client
  readonly farebox: Farebox
  readonly journal: Journal
  readonly tally: Tally
  /** What the database held when this run began. */
  readonly billedBefore: BilledUsage
  /** How many lines may be on their way at once. */
  readonly connections: number
  readonly signal?: AbortSignal | undefined
  /** Called after each line. */
  onLine(): void
}

/** Lines read ahead while their customers are busy: enough that one busy customer does not hold up the others. */
const LINES_AHEAD = 2000

interface NumberedLine {
  readonly number: number
  readonly line: AccessLine
}

/** Resolves when every line is done, or when the signal has stopped the run and what was on its way is noted. */
export async function playLines(options: PlayOptions): Promise<void> {
  await runInOrder({
    items: openLines(options),
    keyOf: ({ line }) => line.client,
    run: async (item) => playLine(options, item),
    width: options.connections,
    ahead: LINES_AHEAD,
    signal: options.signal,
  })
}

/** The lines to send. Those of earlier runs are counted and passed over. */
async function* openLines({ log, journal, tally, billedBefore, onLine }: PlayOptions): AsyncGenerator<NumberedLine> {
  const compared = new Set<string>()
  for await (const item of requestLines(log)) {
    const { client } = item.line
    let outcome = journal.done.get(item.number)
    if (outcome === undefined && !compared.has(client)) {
      compared.add(client)
      outcome = billedUnnoted({ item, tally, billedBefore })
      if (outcome !== undefined) await journal.note(item.number, outcome)
    }
    if (outcome === undefined) {
      yield item
      continue
    }
    tally.add(client, outcome)
    onLine()
  }
}

/**
 * The one line of a customer that an earlier run may have billed without noting it. A line is noted before the next one of
 * its customer is sent, and reservations that the dead process left were voided when the database was opened. So the
 * database holds as many events of the customer as the journal has billed lines, or one more; and if it is one more, it is
 * this line, the customer's first that is not in the journal. It is noted now and not sent again.
 */
function billedUnnoted({
  item,
  tally,
  billedBefore,
}: {
  item: NumberedLine
  tally: Tally
  billedBefore: BilledUsage
}): Outcome | undefined {
  const { number, line } = item
  const noted = [...tally.of(line.client).features.values()].reduce((sum, feature) => sum + feature.billed, 0)
  const { events, event } = billedBefore.newest(line.client)
  if (events === noted) return undefined
  if (events === noted + 1 && event?.at === line.at) return { kind: 'billed', feature: event.feature }
  throw new CommandError(
    `The database holds ${events} events of ${line.client} where the journal has ${noted} before line ${number}: something else wrote to it, so use --fresh`,
  )
}

async function playLine({ client, farebox, journal, tally, onLine }: PlayOptions, { number, line }: NumberedLine): Promise<void> {
  const outcome = await client.send(number, line)
  // First the settlement, then the journal: the other way round a line could be noted and never billed.
  await farebox.flush()
  await journal.note(number, outcome)
  tally.add(line.client, outcome)
  onLine()
}
