/** The server under test: an Express app with Farebox. Usage: node --conditions=farebox-source server.ts <settings as JSON> */

import { appendFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { createFarebox, type Farebox, FareboxError, testClock, type TrackInput } from '@farebox/core'
import { sqlite } from '@farebox/core/sqlite'
import { meter } from '@farebox/express'
import { postgres } from '@farebox/postgres'
import express, { type Express, type Request, type RequestHandler, type Response } from 'express'
import { acknowledgingEarly, blocking, readingThenWriting } from './broken.ts'
import { catalog } from './catalog.ts'
import { crashAt, crashing } from './crash.ts'
import { EXIT_NOT_READY, type ServerSettings } from './settings.ts'

const settings: ServerSettings = JSON.parse(process.argv[2] ?? '{}')
const pass = crashAt(process.env['CRASH_AT'])
const clock = settings.clockAt === undefined ? null : testClock(settings.clockAt)
const farebox = openFarebox()
// The parent's end of this pipe closes when the parent ends, however it ends.
process.stdin.on('end', () => process.exit(0)).resume()
process.stdin.unref()

await farebox.ready.catch((error: unknown) => {
  process.stderr.write(`${String(error)}\n`)
  process.exit(EXIT_NOT_READY)
})
const delay = monitorEventLoopDelay({ resolution: 1 })
const server = createApp().listen(0, '127.0.0.1', () => say({ port: (server.address() as AddressInfo).port }))
process.once('SIGTERM', () => void shutDown())

function openFarebox(): Farebox {
  const kept = settings.postgres === undefined ? sqlite({ path: settings.database }) : postgres(settings.postgres)
  const store = settings.variant === 'acknowledge-early' ? acknowledgingEarly(kept) : crashing(kept, pass)
  const { onCrash = 'charge' } = settings
  return createFarebox({
    catalog,
    store,
    onCrash,
    ...(clock === null ? {} : { clock }),
    ...(settings.spool === undefined ? {} : { spool: settings.spool }),
    ...(settings.graceHours === undefined ? {} : { invoiceGraceHours: settings.graceHours }),
    onError: (error) => say({ error: String(error) }),
  })
}

function createApp(): Express {
  const app = express()
  app.use(express.json())
  app.get('/work', ...gate(), work)
  app.get('/slow', ...gate(), (req, res) => void setTimeout(() => work(req, res), Number(req.query['ms'])))
  app.post('/track', later(track))
  app.post(
    '/subscribe',
    later(async ({ body }) => ({ body: await farebox.subscriptions.create(body) })),
  )
  app.post('/close', later(close))
  app.get(
    '/verify',
    later(async () => ({ body: await farebox.verify() })),
  )
  app.get(
    '/invoices',
    later(async () => ({ body: { count: (await farebox.invoices.list()).items.length } })),
  )
  app.get(
    '/health',
    later(async () => ({ body: await farebox.health() })),
  )
  app.post('/clock', moveClock)
  app.post('/delay', tellDelay)
  return app
}

async function track({ body }: Request): Promise<Reply> {
  const { kind } = await farebox.usage.track(body as TrackInput)
  return { status: kind === 'refused' ? 402 : kind === 'conflict' ? 409 : 200, body: { kind } }
}

async function close(): Promise<Reply> {
  const { invoices, held, waiting } = await farebox.closePeriods()
  return { body: { numbers: invoices.map(({ number }) => number), held: held.length, waiting } }
}

function moveClock(req: Request, res: Response): void {
  clock?.set(Number(req.body.now))
  res.end()
}

/** The event loop's delay since the last time it was asked for. */
function tellDelay(_req: Request, res: Response): void {
  res.json({ p99Ms: delay.percentile(99) / 1e6, maxMs: delay.max / 1e6 })
  delay.reset()
  delay.enable()
}

interface Reply {
  readonly status?: number
  readonly body: object
}

/** A handler that takes its time, and whose error the client is told. */
function later(answer: (req: Request) => Promise<Reply>): RequestHandler {
  return (req, res) => {
    void answer(req).then(
      ({ status = 200, body }) => res.status(status).json(body),
      (error: unknown) => {
        const code = error instanceof FareboxError ? error.code : 'unexpected'
        res.status(code === 'store_unavailable' || code === 'stopped' ? 503 : 500).json({ code, message: String(error) })
      },
    )
  }
}

function gate(): RequestHandler[] {
  if (settings.variant === 'read-then-write') return [readingThenWriting(farebox)]
  const before = settings.variant === 'blocking' ? [blocking(settings.database)] : []
  const policy = settings.spool === undefined ? {} : ({ onStoreError: 'allow' } as const)
  return [...before, meter({ farebox, identify: (req) => req.get('x-customer'), ...policy })]
}

/** The handler: it leaves a trace that Farebox cannot write, and names the event that must exist. */
function work(req: Request, res: Response): void {
  const key = req.meter?.key ?? 'unmetered'
  appendFileSync(settings.witness, `${key}\n`)
  pass('in-handler')
  res.status(req.query['fail'] === undefined ? 200 : 500).json({ key })
}

/** No `process.exit`: what still holds the process after this is a defect. */
async function shutDown(): Promise<void> {
  const isServerFirst = settings.stopFirst !== 'farebox'
  if (!isServerFirst) await farebox.stop()
  await new Promise((resolve) => server.close(resolve))
  if (isServerFirst) await farebox.stop()
  say({ stopped: true })
}

function say(fact: object): void {
  process.stdout.write(`${JSON.stringify(fact)}\n`)
}
