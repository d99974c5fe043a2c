/** `npm start`: replays a log (or bills a trace of AI calls), bills the months, and leaves the API running on the same database. */

import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { modelPrices } from '@farebox/ai'
import { createFarebox } from '@farebox/core'
import type { Farebox } from '@farebox/core'
import type { Store } from '@farebox/core/contracts'
import { traceCommand } from 'farebox/llm-trace'
import { exitStatusOf, listen, replayCommand } from 'farebox/replay'
import { createApp } from './app.ts'
import { catalog } from './catalog.ts'
import type { StartOptions } from './start-options.ts'
import { prepareStore } from './store.ts'
import target from './target.ts'

const DEMO_CUSTOMER = 'demo'

/** The promise gives the exit status; with the API left running, when a signal has stopped it. */
export async function start(options: StartOptions): Promise<number> {
  return exitStatusOf(async () => {
    if (!options.once) await requireFreePort(options.port)
    // The default database is the command's own: each run begins a new one.
    const fresh = options.fresh || (!options.isOwnDatabase && !options.resume)
    const { openStore, stop } = await prepareStore(options, fresh)
    try {
      await bill(options, openStore, fresh)
      if (!options.once) await serveUntilStopped(openStore(), options)
    } finally {
      await stop()
    }
  })
}

async function bill(options: StartOptions, openStore: () => Store, fresh: boolean): Promise<void> {
  const { log, database, html, json, resume, trace } = options
  const shared = { log, database, openStore, html, fresh, ...(json === undefined ? {} : { json }) }
  if (trace === null) await replayCommand({ ...shared, target, resume })
  else await traceCommand({ ...shared, ...trace, models: modelPrices() })
}

/** Found out before the replay, not after it. */
async function requireFreePort(port: number): Promise<void> {
  const probe = createServer()
  await listen(probe, port)
  await close(probe)
}

async function serveUntilStopped(store: Store, { port }: StartOptions): Promise<void> {
  const farebox = createFarebox({ catalog, store, upgradeUrl: 'https://example.com/plans' })
  await farebox.ready
  const key = await demoKey(farebox)
  const server = createServer(createApp({ farebox, mode: 'live' }))
  await listen(server, port)

  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  console.log(`
The API is running on ${url} (Ctrl+C stops it). Call it as a customer on the free plan:

  curl -i -H 'x-api-key: ${key}' ${url}/blog

Ten calls are free, and the eleventh is answered 402. Downloads are under ${url}/files: 0.25 MB each, 1 MB is free.`)
  await stopSignal()
  await close(server)
  await farebox.stop()
}

/** A fresh key of a customer on the free plan; the key is shown once, so each start makes its own. */
async function demoKey(farebox: Farebox): Promise<string> {
  await farebox.customers.create({ id: DEMO_CUSTOMER, name: 'Demo' })
  const subscription = await farebox.subscriptions.get(DEMO_CUSTOMER)
  if (subscription === null) await farebox.subscriptions.create({ customerId: DEMO_CUSTOMER, plan: 'free' })
  const { key } = await farebox.apiKeys.create({ customerId: DEMO_CUSTOMER, name: 'npm start' })
  return key
}

async function stopSignal(): Promise<void> {
  await new Promise<void>((resolve) => {
    process.once('SIGINT', () => resolve())
    process.once('SIGTERM', () => resolve())
  })
}

async function close(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
