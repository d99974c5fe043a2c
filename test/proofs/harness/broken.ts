/** Broken on purpose: what a proof must notice. A proof that passes with one of these proves nothing. */

import type { Farebox } from '@farebox/core'
import type { Store } from '@farebox/core/contracts'
import Database from 'better-sqlite3'
import type { Request, RequestHandler, Response } from 'express'
import { withChange } from './crash.ts'

/** Between an early answer and the commit that it should have waited for. */
const LATE_MS = 25

/** A store that answers from what it read, and writes a little later. */
export function acknowledgingEarly(store: Store): Store {
  return withChange(store, async (target, decide) => {
    const answer = await store.change(target, (state) => ({ result: decide(state).result, entries: [] }))
    setTimeout(() => void store.change(target, decide).catch(() => {}), LATE_MS)
    return answer
  })
}

/** A gate that reads the usage, waits for something, and counts afterwards. */
export function readingThenWriting(farebox: Farebox): RequestHandler {
  return async (req, res, next) => {
    if (await readThenCount(farebox, req, res)) next()
    else res.status(402).end()
  }
}

async function readThenCount(farebox: Farebox, req: Request, res: Response): Promise<boolean> {
  const customerId = req.get('x-customer') ?? ''
  const [usage] = await farebox.usage.totals({ customerId })
  await new Promise((resolve) => setImmediate(resolve))
  res.on('close', () => void farebox.usage.track({ customerId, feature: 'api_calls' }).catch(() => {}))
  return usage?.remaining !== 0n
}

/** Middleware that waits for the write lock the way SQLite's own timeout does: with the event loop standing still. */
export function blocking(database: string): RequestHandler {
  const db = new Database(database, { timeout: 2_000 })
  return (_req, _res, next) => {
    db.exec('BEGIN IMMEDIATE; COMMIT')
    next()
  }
}
