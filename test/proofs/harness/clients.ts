/** Clients that never give up: each keeps a ledger of what it sent and what was answered, and retries with the same key. */

import { ask, openLedger } from './client.ts'
import type { Fleet } from './fleet.ts'
import { sleep } from './report.ts'

export interface Clients {
  /** Lets each client finish what it began; resolves when all have. */
  finish(): Promise<ClientFigures>
}

export interface ClientFigures {
  readonly retries: number
  /** The longest that any request took, answered or not. */
  readonly slowestMs: number
  /** Requests that a server which lived did not answer in time. */
  readonly unanswered: number
}

export interface ClientsOptions {
  readonly fleet: Fleet
  readonly ledger: string
  readonly count: number
  /** The customers that are used, in turn. */
  readonly customers: readonly string[]
}

/** Between two tries of the same request. */
const RETRY_MS = 10

export function startClients({ fleet, ledger, count, customers }: ClientsOptions): Clients {
  const lines = openLedger(ledger)
  const end = new AbortController()
  let retries = 0
  let slowestMs = 0
  let unanswered = 0
  const running = Array.from({ length: count }, (_, client) => run(client))

  return {
    async finish() {
      end.abort()
      await Promise.all(running)
      lines.close()
      return { retries, slowestMs, unanswered }
    },
  }

  async function run(client: number): Promise<void> {
    for (let turn = 0; !end.signal.aborted; turn += 1) {
      const customer = customers[(client + turn) % customers.length] ?? ''
      if (turn % 2 === 0) await track(customer, `${client}-${turn}`)
      else await work(customer)
    }
  }

  /** The same key again and again until somebody answers. */
  async function track(customer: string, key: string): Promise<void> {
    const body = { customerId: customer, feature: 'api_calls', idempotencyKey: key }
    for (;;) {
      lines.write({ word: 'sent', how: 'track', customer, key })
      const answer = await tryOnce({ method: 'POST', path: '/track', body })
      if (answer?.status === 200) return lines.write({ word: 'ok', how: 'track', customer, key })
      if (answer?.status === 402) return lines.write({ word: 'refused', how: 'track', customer, key })
      await pause()
    }
  }

  /** A request through the gate: its answer names the event that must exist. */
  async function work(customer: string): Promise<void> {
    for (;;) {
      lines.write({ word: 'sent', how: 'gate', customer, key: '-' })
      const answer = await tryOnce({ path: '/work', customer })
      if (answer?.status === 200)
        return lines.write({ word: 'ok', how: 'gate', customer, key: (JSON.parse(answer.body) as { key: string }).key })
      if (answer?.status === 402) return lines.write({ word: 'refused', how: 'gate', customer, key: '-' })
      await pause()
    }
  }

  async function tryOnce(wanted: Parameters<typeof ask>[1]): Promise<Awaited<ReturnType<typeof ask>> | null> {
    const server = fleet.any()
    if (server === null) return null
    const begunMs = performance.now()
    try {
      return await ask(server.port, wanted)
    } catch {
      if (!server.hasEnded()) unanswered += 1
      return null
    } finally {
      slowestMs = Math.max(slowestMs, performance.now() - begunMs)
    }
  }

  async function pause(): Promise<void> {
    retries += 1
    await sleep(RETRY_MS)
  }
}
