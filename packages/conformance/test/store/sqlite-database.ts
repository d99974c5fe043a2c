/** Databases of SQLite for the suite, and raw SQL as the second eye. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Reservation } from '@farebox/core/contracts'
import { sqlite } from '@farebox/core/sqlite'
import Database from 'better-sqlite3'
import type { StoreDatabase, StoreRow } from '../../src/index.ts'

const PROCESS = fileURLToPath(new URL('sqlite-process.ts', import.meta.url))

export async function sqliteDatabase(): Promise<StoreDatabase> {
  const folder = mkdtempSync(path.join(tmpdir(), 'farebox-store-'))
  const file = path.join(folder, 'billing.db')
  return {
    // No check cuts the power.
    store: ({ cacheSize }) => sqlite({ path: file, cacheSize, durability: 'process' }),
    async rows(sql) {
      return withConnection(file, (db) => db.prepare<[], StoreRow>(sql).safeIntegers(true).all())
    },
    leave: (reservation) => leave(file, reservation),
    async becomeNewer() {
      withConnection(file, (db) => db.exec('INSERT INTO _migrations (number, breaking) VALUES (99, 1)'))
    },
    async openElsewhere() {
      const [code] = await once(start(file), 'exit')
      if (code !== 0) throw new Error(`The process that opened a store ended with ${code}`)
    },
    async remove() {
      rmSync(folder, { recursive: true })
    },
  }
}

/** A connection of its own each time: nothing is remembered. */
function withConnection<T>(file: string, use: (db: Database.Database) => T): T {
  const db = new Database(file)
  try {
    return use(db)
  } finally {
    db.close()
  }
}

async function leave(file: string, reservation: Reservation): Promise<void> {
  const child = start(file, JSON.stringify({ ...reservation, quantity: String(reservation.quantity) }))
  const exit = once(child, 'exit')
  await Promise.race([once(child.stdout ?? child, 'data'), exit])
  child.kill('SIGKILL')
  const [, signal] = await exit
  if (signal !== 'SIGKILL') throw new Error('The process that was to leave a reservation ended by itself')
}

function start(...args: readonly string[]): ChildProcess {
  const command = ['--conditions=farebox-source', PROCESS, ...args]
  return spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'inherit'] })
}
