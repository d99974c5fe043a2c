/** Finds an event by what a person has of it: its key, or its place in the log. */

import { type LoggedEvent, MAX_PAGE, seqKey, type Store } from '@farebox/core/contracts'
import { CommandError } from '../command-error.ts'
import { eachOf } from '../listing.ts'

/** Of one customer that is at once; without one the log is read. A key comes before a place. */
export async function findEvent(store: Store, name: string, customerId: string | undefined): Promise<LoggedEvent> {
  const found = customerId === undefined ? await inLog(store, name) : await ofCustomer(store, name, customerId)
  if (found !== null) return found
  const whose = customerId === undefined ? '' : ` of ${customerId}`
  throw new CommandError(`There is no event ${name}${whose}: give its key, or its seq, as farebox export --format csv lists them`)
}

function ofCustomer(store: Store, name: string, customerId: string): Promise<LoggedEvent | null> {
  const seq = seqOf(name)
  const target = { customerId, keys: [name], ...(seq === null ? {} : { seqs: [seq] }) }
  return store.change(target, ({ known }) => ({
    result: known.get(name) ?? (seq === null ? null : (known.get(seqKey(seq)) ?? null)),
    entries: [],
  }))
}

async function inLog(store: Store, name: string): Promise<LoggedEvent | null> {
  const seq = seqOf(name)
  const byKey: LoggedEvent[] = []
  const bySeq: LoggedEvent[] = []
  for await (const event of eachOf((after) => store.log({ after, limit: MAX_PAGE }))) {
    if (event.key === name) byKey.push(event)
    else if (event.seq === seq) bySeq.push(event)
  }
  const found = byKey.length > 0 ? byKey : bySeq
  if (found.length <= 1) return found[0] ?? null
  const customers = found.map(({ customerId }) => customerId).toSorted()
  throw new CommandError(
    `${found.length} customers have an event ${name}: give --customer one of ${customers.slice(0, 10).join(', ')}`,
  )
}

function seqOf(name: string): number | null {
  return /^[1-9]\d{0,14}$/.test(name) ? Number(name) : null
}
