/** What is measured: the bare framework, Farebox, and what people use instead. */

import { createFarebox, defineCatalog, type Farebox } from '@farebox/core'
import { sqlite } from '@farebox/core/sqlite'
import { meter } from '@farebox/express'
import Database from 'better-sqlite3'
import type { RequestHandler } from 'express'
import { rateLimit } from 'express-rate-limit'
import { RateLimiterMemory, RateLimiterSQLite } from 'rate-limiter-flexible'

/** Middleware under measurement, and what must end with it. */
export interface Variant {
  readonly handlers: readonly RequestHandler[]
  stop(): Promise<void>
}

/** Nobody reaches it: what is measured is the counting, not the refusing. */
const UNREACHABLE = 1_000_000_000

export const CUSTOMERS = 1_000

/** Name → how it is made; `file` is a database path of its own. */
export const VARIANTS: Readonly<Record<string, (file: string) => Promise<Variant>>> = {
  bare: async () => ({ handlers: [], stop: nothing }),
  'farebox full': (file) => farebox(file, 'full'),
  'farebox process': (file) => farebox(file, 'process'),
  'one INSERT per request': async (file) => insertPerRequest(file),
  'express-rate-limit, memory': async () => ({
    handlers: [
      rateLimit({ windowMs: 60_000, limit: UNREACHABLE, standardHeaders: 'draft-8', legacyHeaders: false, keyGenerator: keyOf }),
    ],
    stop: nothing,
  }),
  'rate-limiter-flexible, memory': async () => flexible(new RateLimiterMemory({ points: UNREACHABLE, duration: 60 })),
  'rate-limiter-flexible, SQLite': async (file) => flexibleSqlite(file),
}

async function farebox(path: string, durability: 'full' | 'process'): Promise<Variant> {
  const catalog = defineCatalog({
    currency: 'USD',
    features: { api_calls: { type: 'metered' } },
    plans: { paid: { price: '5.00', interval: 'month', default: true, features: { api_calls: { included: UNREACHABLE } } } },
  })
  const engine: Farebox = createFarebox({ catalog, store: sqlite({ path, durability }) })
  await engine.ready
  return { handlers: [meter({ farebox: engine, identify: keyOf })], stop: () => engine.stop() }
}

/** The usual hand-made way: a durable row per request, written when the response ended. */
function insertPerRequest(path: string): Variant {
  const db = new Database(path)
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = FULL')
  db.exec('CREATE TABLE usage (id INTEGER PRIMARY KEY, customer TEXT NOT NULL, route TEXT, at INTEGER NOT NULL) STRICT')
  const insert = db.prepare('INSERT INTO usage (customer, route, at) VALUES (?, ?, ?)')
  const handler: RequestHandler = (req, res, next) => {
    res.once('close', () => void insert.run(keyOf(req), req.path, Date.now()))
    next()
  }
  return { handlers: [handler], stop: async () => void db.close() }
}

async function flexibleSqlite(path: string): Promise<Variant> {
  const db = new Database(path)
  db.pragma('journal_mode = WAL')
  const limiter = await new Promise<RateLimiterSQLite>((resolve, reject) => {
    const made: RateLimiterSQLite = new RateLimiterSQLite(
      { storeClient: db, storeType: 'better-sqlite3', tableName: 'limits', points: UNREACHABLE, duration: 60 },
      (error?: Error) => (error === undefined || error === null ? resolve(made) : reject(error)),
    )
  })
  return flexible(limiter)
}

function flexible(limiter: RateLimiterMemory | RateLimiterSQLite): Variant {
  const handler: RequestHandler = async (req, res, next) => {
    const { remainingPoints } = await limiter.consume(keyOf(req))
    res.setHeader('RateLimit', `"api_calls";r=${remainingPoints}`)
    next()
  }
  return { handlers: [handler], stop: nothing }
}

/** Every variant is told who calls in the same way, so that none pays for looking keys up. */
function keyOf(req: { readonly headers: NodeJS.Dict<string | string[]> }): string {
  return String(req.headers['x-customer'])
}

async function nothing(): Promise<void> {}
