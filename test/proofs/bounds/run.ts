/** Sends distinct keys of distinct customers through the gate and through track, and measures what grows. Usage: node run.ts <folder> <customers> <keys> */

import { statSync } from 'node:fs'
import path from 'node:path'
import { createFarebox, defineCatalog } from '@farebox/core'
import { sqlite } from '@farebox/core/sqlite'

/** What the parent reads from standard output. */
export interface BoundsResult {
  readonly customers: number
  readonly keys: number
  /** Resident memory after the warm-up, and the most that was seen later; bytes. */
  readonly rssStart: number
  readonly rssMost: number
  readonly walMost: number
  readonly events: number
}

const [folder = '.', customersText = '1000', keysText = '10000'] = process.argv.slice(2)
const customers = Number(customersText)
const keys = Number(keysText)
const file = path.join(folder, 'bounds.db')

const catalog = defineCatalog({
  currency: 'USD',
  features: { api_calls: { type: 'metered' } },
  plans: { paid: { price: '1.00', interval: 'month', default: true, features: { api_calls: { included: 1000 } } } },
})
const farebox = createFarebox({ catalog, store: sqlite({ path: file, durability: 'process' }) })
const gate = farebox.createGate<number>(undefined, { identify: (n) => `customer_${n}` })
const SIDE_BY_SIDE = 500
/** The heap and the caches reach their size in this share of the run. */
const WARM_UP = 0.2

let rssStart = 0
let rssMost = 0
let walMost = 0
for (let first = 0; first < keys; first += SIDE_BY_SIDE) {
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, (_, i) => count(first + i)))
  if ((first / SIDE_BY_SIDE) % 20 === 0) look(first)
}
await farebox.flush()
look(keys)
const events = (await farebox.events.list({ after: String(keys - 1), limit: 10 })).items.at(-1)?.seq ?? 0
await farebox.stop()
const result: BoundsResult = { customers, keys, rssStart, rssMost, walMost, events }
process.stdout.write(`${JSON.stringify(result)}\n`)

/** Every second use is a request, the others are tracked under a caller's key. */
async function count(n: number): Promise<void> {
  const customer = n % customers
  if (n % 2 === 0) {
    await farebox.usage.track({ customerId: `customer_${customer}`, feature: 'api_calls', idempotencyKey: `key-${n}` })
    return
  }
  const verdict = await gate.admit({ method: 'GET', route: '/', header: () => undefined, raw: customer })
  if (verdict.kind !== 'admitted') throw new Error(`Expected an admission, got ${JSON.stringify(verdict)}`)
  gate.settle(verdict.ticket, { kind: 'finished', status: 200 }, customer)
}

function look(done: number): void {
  walMost = Math.max(walMost, statSync(`${file}-wal`).size)
  if (done < keys * WARM_UP) return
  globalThis.gc?.()
  const { rss } = process.memoryUsage()
  if (rssStart === 0) rssStart = rss
  rssMost = Math.max(rssMost, rss)
}
