/** The process whose power is cut: the real engine under load. It acknowledges in a file of its own, as a client would see it. */

import { openSync, writeSync } from 'node:fs'
import { createFarebox } from '@farebox/core'
import type { ChangeRequest, Entry, Store } from '@farebox/core/contracts'
import type { Gate } from '@farebox/core/http'
import { sqlite } from '@farebox/core/sqlite'
import Database from 'better-sqlite3'
import { CATALOG } from '../model/price-list.ts'

interface Settings {
  readonly database: string
  readonly acks: string
  readonly durability: 'full' | 'process'
  readonly rounds: number
}

/** Requests and reports that come in one turn of the event loop, and so share a commit. */
const SIDE_BY_SIDE = 6

/** A checkpoint writes to the database itself: often enough that cuts fall into it. */
const ROUNDS_PER_CHECKPOINT = 12

const settings: Settings = JSON.parse(process.argv[2] ?? '{}')
const acks = openSync(settings.acks, 'a')
const store = sqlite({ path: settings.database, durability: settings.durability })
const submit: Store['submit'] = store.submit.bind(store)
store.submit = (request) => submit(request.target.urgency === 'soon' ? acknowledged(request) : request)
const farebox = createFarebox({ catalog: CATALOG, store })
await farebox.ready
for (const customerId of ['bob', 'cyd']) await farebox.subscriptions.create({ customerId, plan: 'starter' })
const gate: Gate<string> = farebox.createGate<string>('calls', { identify: (customerId) => customerId })
const checkpoints = new Database(settings.database)

for (let round = 0; round < settings.rounds; round += 1) {
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, (_, place) => act(round * SIDE_BY_SIDE + place)))
  if (round % ROUNDS_PER_CHECKPOINT === 0) checkpoints.pragma('wal_checkpoint(PASSIVE)')
}
await farebox.flush()
acknowledge('done', '')
// No orderly end: the power goes.
process.kill(process.pid, 'SIGKILL')

async function act(number: number): Promise<void> {
  const customerId = number % 2 === 0 ? 'bob' : 'cyd'
  if (number % 3 === 0) {
    const idempotencyKey = `key-${number}`
    const { kind } = await farebox.usage.track({ customerId, feature: 'calls', value: '0.25', idempotencyKey })
    return acknowledge(kind, idempotencyKey)
  }
  const verdict = await gate.admit({ method: 'GET', route: '/', header: () => undefined, raw: customerId })
  if (verdict.kind !== 'admitted') throw new Error(`Expected to be admitted, got ${verdict.kind}`)
  const { key } = verdict.ticket.meter
  const isFailed = number % 5 === 0
  acknowledge(isFailed ? 'admitted_failing' : 'admitted', key)
  // Some handlers never end.
  if (number % 7 === 0) return
  gate.settle(verdict.ticket, { kind: 'finished', status: isFailed ? 500 : 200 }, customerId)
}

/** Its answer is on the way; that it is in the log for good is known when the settlement is durable. */
function acknowledged<T>(request: ChangeRequest<T>): ChangeRequest<T> {
  let entries: readonly Entry[] = []
  return {
    target: request.target,
    decide(state) {
      const change = request.decide(state)
      entries = change.entries
      return change
    },
    resolve(result) {
      for (const entry of entries) {
        if (entry.kind === 'posted') acknowledge('posted', entry.event.key)
        if (entry.kind === 'released') acknowledge('voided', entry.key)
      }
      request.resolve(result)
    },
    reject: (error) => request.reject(error),
  }
}

/** One write, ordered in the same record as the writes of the store. */
function acknowledge(kind: string, key: string): void {
  writeSync(acks, `${kind} ${key}\n`)
}
