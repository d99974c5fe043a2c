/** `farebox doctor` on real database files. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { createFarebox, defineCatalog, systemClock, testClock } from '@farebox/core'
import { sqlite } from '@farebox/core/sqlite'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { doctorCommand, examine } from '../src/doctor/doctor.ts'
import type { Finding } from '../src/doctor/findings.ts'

const catalog = defineCatalog({
  currency: 'USD',
  features: { api_calls: { type: 'metered' } },
  plans: { free: { price: '0', interval: 'month', default: true, features: { api_calls: { included: 5 } } } },
})

let folder: string
let file: string

beforeEach(() => {
  // Beside the project rather than in the system's temporary folder, which is memory on some machines.
  folder = mkdtempSync(path.join(import.meta.dirname, 'doctor-'))
  file = path.join(folder, 'billing.db')
})

afterEach(() => {
  vi.restoreAllMocks()
  rmSync(folder, { recursive: true })
})

const finding = (what: string): Finding | undefined => examine(file).find((one) => one.what === what)

describe('farebox doctor', () => {
  it('finds nothing wrong with a sound database, and counts what is open', async () => {
    const farebox = createFarebox({ catalog, store: sqlite({ path: file }) })
    await farebox.usage.track({ customerId: 'ada', feature: 'api_calls' })
    const gate = farebox.createGate<null>('api_calls', { identify: () => 'ada' })
    await gate.admit({ method: 'GET', route: '/', header: () => undefined, raw: null })

    expect(finding('journal mode')).toEqual({ what: 'journal mode', value: 'wal', problem: null })
    expect(finding('schema')).toEqual({ what: 'schema', value: '1', problem: null })
    expect(finding('events')?.value).toBe('1')
    expect(finding('open reservations')).toMatchObject({
      value: expect.stringMatching(/^1 of p_[0-9a-f]+, running/),
      problem: null,
    })
    await farebox.stop({ withinMs: 0 })
    expect(finding('open reservations')).toMatchObject({ problem: expect.stringMatching(/process died: start Farebox/) })
  })

  it('says that the clock was set back when the log is ahead of it', async () => {
    const clock = testClock(systemClock.now() + 86_400_000)
    const farebox = createFarebox({ catalog, store: sqlite({ path: file }), clock })
    await farebox.usage.track({ customerId: 'ada', feature: 'api_calls' })
    await farebox.stop()
    expect(finding('clock')?.problem).toMatch(/this clock was set back/)
    const printed = vi.spyOn(console, 'log').mockImplementation(() => {})
    await expect(doctorCommand(file)).rejects.toThrow(/1 of \d+ need attention/)
    expect(printed.mock.calls.join()).toMatch(/clock +\S+ +the newest event is of/)
  })

  it('refuses what is no database of Farebox’s, with what to do', () => {
    expect(() => examine(file)).toThrow(/There is no database .*: give the path/)
    writeFileSync(file, 'not a database, but long enough to look like one'.repeat(50))
    expect(() => examine(file)).toThrow(/is no database of Farebox's/)
  })
})
