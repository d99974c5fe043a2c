/** What a check runs in: sample applications that listen, each with an engine and a database file of its own. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type Catalog, createFarebox, defineCatalog, type Farebox } from '@farebox/core'
import type { MeterOptions } from '@farebox/core/http'
import { sqlite } from '@farebox/core/sqlite'
import { type Client, createClient, type Protocol } from './client.ts'
import { type Controls, createControls } from './controls.ts'
import { inWords, type Ledger, openLedger } from './ledger.ts'
import { createSampleRoutes } from './sample-routes.ts'
import type { Listen, Listening, Sample, SampleLayer, SampleMeterLayer, SampleRequest } from './sample.ts'
import { inTime, until } from './until.ts'

/** Units of `api_calls` that everybody has; of `downloads` it is ten. */
export const LIMIT = 3

const catalog: Catalog = defineCatalog({
  currency: 'USD',
  features: {
    api_calls: { type: 'metered', name: 'API calls', default: true },
    downloads: { type: 'metered', name: 'Downloads', unit: 'MB' },
  },
  plans: {
    free: {
      name: 'Free',
      price: '0',
      interval: 'month',
      default: true,
      features: { api_calls: { included: LIMIT }, downloads: { included: 10 } },
    },
    large: {
      name: 'Large',
      price: '0',
      interval: 'month',
      features: { api_calls: { included: 1_000_000 }, downloads: { included: 1_000_000 } },
    },
  },
})

/** What a check has different from the plain sample, which has one meter for all and the framework's error handling. */
export interface SampleChange {
  /** Options of every meter. Default: the customer is in the header `x-customer`. */
  readonly options?: MeterOptions<SampleRequest>
  /** Customers are known by their API keys, as they are without `identify`. */
  readonly isByApiKey?: boolean
  /** The layers around the meter. Default: the meter alone. */
  readonly layers?: (meter: SampleMeterLayer) => readonly SampleLayer[]
  readonly onError?: Sample['onError']
  /** How long the store waits for a locked file. Default two seconds. */
  readonly busyTimeoutMs?: number
}

/** A listening application, the client that talks to it, and what was billed. */
export interface App extends Client {
  readonly farebox: Farebox
  readonly controls: Controls
  readonly ledger: Ledger
  readonly url: string
  /** The routes whose handlers have run. */
  readonly ran: readonly string[]
  /** What the engine told nobody else, such as that a request could not be billed. */
  readonly errors: readonly unknown[]
  /** Another client, all of whose requests share a connection. */
  connect(): Client
  /** How many requests are reserved for, once all that was settled so far is written. */
  reserved(): Promise<number>
  /** Resolves when `holds` does, and rejects when it does not in time. */
  until(what: string, holds: () => boolean): Promise<void>
  /** Waits until nothing is reserved any more, and gives the log in words: `ada api_calls 1 /plain/:id`. */
  billed(): Promise<string[]>
  /** What one customer used of a feature. */
  used(customer: string, feature?: string): Promise<number>
  /** Stops listening, and resolves when what is under way has been answered. */
  shutDown(): Promise<void>
  /** Hangs up, stops the application and the engine, and audits the file. */
  stop(): Promise<void>
}

export interface World {
  readonly protocol: Protocol
  /** Builds the sample and listens. A check may start several. */
  start(change?: SampleChange): Promise<App>
  /** Stops whatever was started. Rejects with what an audit found. */
  end(): Promise<void>
}

export interface WorldOptions {
  readonly listen: Listen
  readonly protocol: Protocol
  /** How long is waited for what must happen. Default five seconds. */
  readonly patienceMs?: number | undefined
}

export const PATIENCE_MS = 5_000

export function createWorld({ listen, protocol, patienceMs = PATIENCE_MS }: WorldOptions): World {
  const apps: App[] = []
  const folders: string[] = []
  return {
    protocol,
    async start(change = {}) {
      const folder = mkdtempSync(path.join(tmpdir(), 'farebox-conformance-'))
      folders.push(folder)
      const app = await startApp({ file: path.join(folder, 'farebox.db'), listen, protocol, patienceMs, change })
      apps.push(app)
      return app
    },
    async end() {
      try {
        for (const { controls, ledger } of apps) {
          controls.releaseAll()
          ledger.unlock()
        }
        await Promise.all(apps.map((app) => app.stop()))
      } finally {
        for (const folder of folders) rmSync(folder, { recursive: true, force: true })
      }
    },
  }
}

interface StartInput extends WorldOptions {
  readonly patienceMs: number
  readonly file: string
  readonly change: SampleChange
}

async function startApp({ file, listen, protocol, patienceMs, change }: StartInput): Promise<App> {
  const { busyTimeoutMs = 2_000, onError = null } = change
  const errors: unknown[] = []
  const farebox = createFarebox({
    catalog,
    // No check cuts the power.
    store: sqlite({ path: file, busyTimeoutMs, durability: 'process' }),
    spool: `${file}-spool`,
    upgradeUrl: 'https://example.test/upgrade',
    onError: (error) => errors.push(error),
  })
  await farebox.ready
  const controls = createControls()
  const identified = change.isByApiKey === true ? {} : { identify }
  const options: MeterOptions<SampleRequest> = { ...identified, ...change.options }
  const meter: SampleMeterLayer = { kind: 'meter', feature: undefined, options }
  const layers = change.layers?.(meter) ?? [meter]
  const listening = await listen({ farebox, layers, onError, ...createSampleRoutes({ controls, options }) }).catch(
    async (error: unknown) => {
      await farebox.stop()
      throw error
    },
  )
  return createApp({ farebox, controls, errors, listening, protocol, patienceMs, ledger: openLedger(file) })
}

function identify(request: SampleRequest): string | undefined {
  return request.header('x-customer')
}

interface AppInput extends Pick<App, 'farebox' | 'controls' | 'errors' | 'ledger'> {
  readonly listening: Listening
  readonly protocol: Protocol
  readonly patienceMs: number
}

function createApp({ farebox, controls, errors, listening, protocol, patienceMs: withinMs, ledger }: AppInput): App {
  const { url } = listening
  const clients: Client[] = []
  const first = connect(false)
  let closing: Promise<void> | null = null
  let stopping: Promise<void> | null = null

  return {
    farebox,
    controls,
    errors,
    ledger,
    url,
    ran: controls.ran,
    send: first.send,
    open: first.open,
    close: first.close,
    connect: () => connect(true),
    async reserved() {
      await farebox.flush()
      return ledger.pending()
    },
    until: (what, holds) => until({ what, withinMs }, holds),
    async billed() {
      await settled()
      return ledger.events().map(inWords)
    },
    async used(customer, feature = 'api_calls') {
      await settled()
      const own = ledger.events().filter((event) => event.customer === customer && event.feature === feature)
      return own.reduce((sum, { quantity }) => sum + quantity, 0) / 1_000_000
    },
    shutDown,
    stop: () => (stopping ??= stopOnce()),
  }

  function connect(keepAlive: boolean): Client {
    const client = createClient({ url, protocol, keepAlive })
    clients.push(client)
    return client
  }

  function settled(): Promise<void> {
    return until({ what: 'every reservation is settled', withinMs }, async () => {
      // A settlement would wait for a commit to ride on.
      await farebox.flush()
      return ledger.pending() === 0
    })
  }

  function shutDown(): Promise<void> {
    return (closing ??= listening.close())
  }

  async function stopOnce(): Promise<void> {
    // Those that a check left open are not waited for.
    for (const client of clients) client.close()
    await inTime({ what: 'the application closes', withinMs }, shutDown())
    const before = ledger.events().length
    const wasSettled = ledger.pending() === 0
    await inTime({ what: 'the engine stops', withinMs }, farebox.stop({ withinMs: withinMs / 2 }))
    const contradictions = [...ledger.contradictions()]
    if (ledger.pending() > 0) contradictions.push('a reservation was never settled')
    if (wasSettled && ledger.events().length > before) contradictions.push('a settled request was settled again')
    ledger.close()
    if (contradictions.length > 0) throw Object.assign(new Error(contradictions.join('; ')), { name: 'Contradiction' })
  }
}
