/** Databases of PostgreSQL for the suite of stores: a schema for each check, and processes that die. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { StoreDatabase, StoreRow } from '@farebox/conformance'
import type { Reservation } from '@farebox/core/contracts'
import { makeDatabase } from './database.ts'

const PROCESS = fileURLToPath(new URL('store-process.ts', import.meta.url))

/** Longer than a process of this machine may be paused while all tests run at once. */
const DEAD_AFTER_MS = 5_000

export async function suiteDatabase(): Promise<StoreDatabase> {
  const { url, schema, store, rows, remove } = await makeDatabase()

  return {
    store: ({ cacheSize }) => store({ cacheSize, deadAfterMs: DEAD_AFTER_MS }),
    rows: (sql) => rows<StoreRow>(sql),
    leave,
    async becomeNewer() {
      await rows('INSERT INTO _migrations (number, breaking) VALUES (99, true)')
    },
    async openElsewhere() {
      const [code] = await once(start(), 'exit')
      if (code !== 0) throw new Error(`The process that opened a store ended with ${code}`)
    },
    remove,
  }

  async function leave(reservation: Reservation): Promise<void> {
    const { customerId, key } = reservation
    const child = start(JSON.stringify({ ...reservation, quantity: String(reservation.quantity) }))
    const exit = once(child, 'exit')
    await Promise.race([once(child.stdout ?? child, 'data'), exit])
    child.kill('SIGKILL')
    const [, signal] = await exit
    if (signal !== 'SIGKILL') throw new Error('The process that was to leave a reservation ended by itself')
    // As if that had been long ago. A server that has just started heard of nobody yet, and waits.
    await rows(`UPDATE _lanes SET seen_at = seen_at - interval '${DEAD_AFTER_MS} milliseconds' WHERE process IN (
      SELECT process FROM reservations WHERE customer = '${customerId}' AND key = '${key}')`)
    await rows(
      `SELECT pg_sleep(greatest(0, ${DEAD_AFTER_MS / 1000} - extract(epoch FROM clock_timestamp() - pg_postmaster_start_time())))`,
    )
  }

  function start(...args: readonly string[]): ChildProcess {
    const command = ['--conditions=farebox-source', PROCESS, url, schema, ...args]
    return spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'inherit'] })
  }
}
