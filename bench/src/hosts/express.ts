/** Express 5. */

import { createServer } from 'node:http'
import { meter } from '@farebox/express'
import Database from 'better-sqlite3'
import express, { type RequestHandler } from 'express'
import { rateLimit } from 'express-rate-limit'
import { RateLimiterMemory, RateLimiterSQLite } from 'rate-limiter-flexible'
import { type Hosted, item, type Kept, keyOf, listening, nothing, startFarebox, UNREACHABLE, type Variants } from './host.ts'

export const EXPRESS: Variants = {
  bare: () => host([]),
  'farebox full': (file) => farebox(file, 'full'),
  'farebox process': (file) => farebox(file, 'process'),
  'farebox postgres': (file) => farebox(file, 'postgres'),
  'one INSERT per request': insertPerRequest,
  'express-rate-limit, memory': () =>
    host([
      rateLimit({ windowMs: 60_000, limit: UNREACHABLE, standardHeaders: 'draft-8', legacyHeaders: false, keyGenerator: keyOf }),
    ]),
  'rate-limiter-flexible, memory': () => host([flexible(new RateLimiterMemory({ points: UNREACHABLE, duration: 60 }))]),
  'rate-limiter-flexible, SQLite': flexibleSqlite,
}

async function host(handlers: readonly RequestHandler[], stop: () => Promise<void> = nothing): Promise<Hosted> {
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  for (const handler of handlers) app.use(handler)
  app.get('/v1/items/:id', (req, res) => void res.json(item(req.params.id)))
  return { server: await listening(createServer(app)), stop }
}

async function farebox(file: string, kept: Kept): Promise<Hosted> {
  const engine = await startFarebox(file, kept)
  return host([meter({ farebox: engine, identify: keyOf })], () => engine.stop())
}

/** The usual hand-made way: a durable row per request, written when the response ended. */
async function insertPerRequest(path: string): Promise<Hosted> {
  const db = new Database(path)
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = FULL')
  db.exec('CREATE TABLE usage (id INTEGER PRIMARY KEY, customer TEXT NOT NULL, route TEXT, at INTEGER NOT NULL) STRICT')
  const insert = db.prepare('INSERT INTO usage (customer, route, at) VALUES (?, ?, ?)')
  const handler: RequestHandler = (req, res, next) => {
    res.once('close', () => void insert.run(keyOf(req), req.path, Date.now()))
    next()
  }
  return host([handler], async () => void db.close())
}

async function flexibleSqlite(path: string): Promise<Hosted> {
  const db = new Database(path)
  db.pragma('journal_mode = WAL')
  const limiter = await new Promise<RateLimiterSQLite>((resolve, reject) => {
    const made: RateLimiterSQLite = new RateLimiterSQLite(
      { storeClient: db, storeType: 'better-sqlite3', tableName: 'limits', points: UNREACHABLE, duration: 60 },
      (error?: Error) => (error === undefined || error === null ? resolve(made) : reject(error)),
    )
  })
  return host([flexible(limiter)])
}

function flexible(limiter: RateLimiterMemory | RateLimiterSQLite): RequestHandler {
  return async (req, res, next) => {
    const { remainingPoints } = await limiter.consume(keyOf(req))
    res.setHeader('RateLimit', `"api_calls";r=${remainingPoints}`)
    next()
  }
}
