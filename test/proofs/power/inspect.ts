/** Opens what a loss of power left, with the engine, and compares it with what was acknowledged. */

import { rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { createFarebox, type Farebox, type UsageEvent } from '@farebox/core'
import { sqlite } from '@farebox/core/sqlite'
import Database from 'better-sqlite3'
import { CATALOG } from '../model/price-list.ts'
import type { Disk } from './disk.ts'

export interface Findings {
  /** Acknowledged, and not there. */
  readonly lost: readonly string[]
  /** Counted twice, counted though it was voided, a total that is not its events, a damaged file. */
  readonly broken: readonly string[]
  readonly events: number
}

/** `acknowledged` are the workload's lines: a word and a key. The folder is used again for each cut. */
export async function inspect(folder: string, disk: Disk, acknowledged: readonly string[]): Promise<Findings> {
  const file = path.join(folder, 'left.db')
  for (const [name, bytes] of [
    ['', disk.database],
    ['-wal', disk.wal],
  ] as const) {
    rmSync(`${file}${name}`, { force: true })
    if (bytes !== null) writeFileSync(`${file}${name}`, bytes)
  }
  rmSync(`${file}-shm`, { force: true })
  const broken = integrity(file)
  const farebox = createFarebox({ catalog: CATALOG, store: sqlite({ path: file, durability: 'process' }) })
  try {
    await farebox.ready
    const events = await wholeLog(farebox)
    const { differences } = await farebox.verify()
    broken.push(...differences.map(({ message }) => message))
    const counted = new Map<string, number>()
    for (const { key } of events) counted.set(key, (counted.get(key) ?? 0) + 1)
    broken.push(...[...counted].filter(([, times]) => times > 1).map(([key]) => `${key} is counted twice`))
    const lost: string[] = []
    for (const [word, key] of acknowledged.map((line) => line.split(' ') as [string, string])) {
      const isThere = counted.has(key)
      if (MUST_BE_THERE.has(word) && !isThere) lost.push(`${word} ${key}`)
      if (word === 'voided' && isThere) lost.push(`${word} ${key}`)
    }
    return { lost, broken, events: events.length }
  } finally {
    await farebox.stop({ withinMs: 0 })
  }
}

/** What a client was told of. A reservation without an end is charged when the file is opened again. */
const MUST_BE_THERE = new Set(['recorded', 'admitted', 'posted'])

function integrity(file: string): string[] {
  const db = new Database(file)
  try {
    const found = db.pragma('integrity_check', { simple: true })
    return found === 'ok' ? [] : [`integrity_check: ${String(found)}`]
  } catch (error) {
    return [`the file cannot be read: ${String(error)}`]
  } finally {
    db.close()
  }
}

async function wholeLog(farebox: Farebox): Promise<UsageEvent[]> {
  const events: UsageEvent[] = []
  for (let after: string | undefined; ;) {
    const page = await farebox.events.list({ limit: 10_000, ...(after === undefined ? {} : { after }) })
    events.push(...page.items)
    if (page.next === null) return events
    after = page.next
  }
}
