/** The engine's side of the model proof: two servers on one file, and what can be read from them. */

import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createFarebox, type Farebox, type Invoice, type Store, testClock, type TestClock, type UsageEvent } from '@farebox/core'
import type { Gate, Ticket } from '@farebox/core/http'
import { sqlite } from '@farebox/core/sqlite'
import { CATALOG } from './price-list.ts'

/** A request of the proof: who asks for what, what is reserved, and what it is billed in the end. */
export interface Asked {
  readonly customer: string
  readonly reserve: string
  bill: string
}

export interface OpenRequest {
  readonly asked: Asked
  readonly ticket: Ticket
  readonly gate: Gate<Asked>
  readonly server: Server
}

export interface Server {
  readonly farebox: Farebox
  readonly gates: Readonly<Record<string, Gate<Asked>>>
  /** Held while the process lives; a file that is gone is a process that died. */
  readonly lockFile: string
}

export interface WorldOptions {
  readonly cacheSize: number
  readonly startsAt: number
  /** Puts a defect between the engine and its store. */
  readonly breakStore?: ((store: Store) => Store) | undefined
}

export class World {
  readonly clock: TestClock
  readonly servers: Server[] = []
  readonly requests: Map<number, OpenRequest> = new Map()
  readonly log: UsageEvent[] = []
  readonly #options: WorldOptions
  readonly #folder: string = mkdtempSync(path.join(tmpdir(), 'farebox-model-'))
  readonly #dead: Server[] = []

  constructor(options: WorldOptions) {
    this.#options = options
    this.clock = testClock(options.startsAt)
    this.servers.push(this.#start(), this.#start())
  }

  /** A process dies with all that it knew, and another one takes its place. */
  async replace(index: number): Promise<void> {
    const dead = this.servers[index] as Server
    this.#dead.push(dead)
    for (const [id, { server }] of this.requests) if (server === dead) this.requests.delete(id)
    // The operating system lets go of a dead process's lock; this one still runs, so its file goes instead.
    rmSync(dead.lockFile)
    this.servers[index] = this.#start()
    await this.servers[index].farebox.ready
  }

  /** The log up to now, read from where the last reading ended. */
  async readLog(server: Server): Promise<readonly UsageEvent[]> {
    const after = this.log.at(-1)?.seq
    const { items } = await server.farebox.events.list({
      limit: 10_000,
      ...(after === undefined ? {} : { after: String(after) }),
    })
    this.log.push(...items)
    return this.log
  }

  async readInvoices(server: Server): Promise<readonly Invoice[]> {
    const { items } = await server.farebox.invoices.list({ limit: 10_000 })
    return items
  }

  async end(): Promise<void> {
    for (const { farebox } of [...this.servers, ...this.#dead]) await farebox.stop({ withinMs: 0 })
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #start(): Server {
    const file = path.join(this.#folder, 'model.db')
    const before = new Set(lockFilesIn(this.#folder))
    const store = sqlite({ path: file, durability: 'process', cacheSize: this.#options.cacheSize })
    const lockFile = lockFilesIn(this.#folder).find((name) => !before.has(name)) ?? 'none'
    const { breakStore = (sound: Store) => sound } = this.#options
    const farebox = createFarebox({
      catalog: CATALOG,
      store: breakStore(store),
      clock: this.clock,
      onError: (error) => {
        throw error
      },
    })
    const gateOf = (feature: string): Gate<Asked> =>
      farebox.createGate<Asked>(feature, {
        identify: ({ customer }) => customer,
        units: ({ reserve, bill }, outcome) => (outcome === undefined ? reserve : bill),
      })
    return { farebox, gates: { calls: gateOf('calls'), files: gateOf('files') }, lockFile: path.join(this.#folder, lockFile) }
  }
}

function lockFilesIn(folder: string): string[] {
  return readdirSync(folder).filter((name) => name.includes('-process-') && !name.endsWith('-journal'))
}
