/** `farebox move` between two files: whole, killed and resumed, refused, and told apart when something differs. */

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Farebox } from '@farebox/core'
import { DECIMAL_ZERO, type Page, type Store, submitBy } from '@farebox/core/contracts'
import { sqlite } from '@farebox/core/sqlite'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { move, type MoveResult } from '../src/move/index.ts'
import { contentOf, fareboxOn, fill, JANUARY, MARCH } from './fixtures/billed.ts'
import { addMoreRecords, addRecords } from './fixtures/records.ts'
import { runFarebox } from './fixtures/run-farebox.ts'

const sources = mkdtempSync(path.join(tmpdir(), 'farebox-move-'))
const source = path.join(sources, 'source.db')
const open: Store[] = []
const running: Farebox[] = []
let folder: string
let target: string

beforeAll(() => fill(source))
afterAll(() => rmSync(sources, { recursive: true }))

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'farebox-moved-'))
  target = path.join(folder, 'target.db')
})

afterEach(async () => {
  await closeAll()
  rmSync(folder, { recursive: true })
})

function openStore(file: string): Store {
  const store = sqlite({ path: file })
  open.push(store)
  return store
}

function start(file: string, options: { at?: number; series?: string } = {}): Farebox {
  const engine = fareboxOn(openStore(file), options)
  running.push(engine)
  return engine
}

async function closeAll(): Promise<void> {
  for (const engine of running.splice(0)) await engine.stop()
  for (const store of open.splice(0)) await store.close()
}

async function moveTo(file: string, from = source): Promise<MoveResult> {
  const result = await move({ from: openStore(from), to: openStore(file) })
  await closeAll()
  return result
}

/** A store that dies at the n-th change: everything after it fails, as after `kill -9`. Counts the changes. */
function dyingAfter(store: Store, most: number): { readonly store: Store; readonly changes: () => number } {
  let changes = 0
  const dead = (): Promise<never> => Promise.reject(new Error('killed'))
  const change: Store['change'] = (whose, decide) => ((changes += 1) <= most ? store.change(whose, decide) : dead())
  const dying = new Proxy(having(store, { change, submit: submitBy(change) }), {
    get: (living, name: keyof Store) =>
      changes > most && name !== 'submit' && typeof store[name] === 'function' ? dead : living[name],
  })
  return { store: dying, changes: () => changes }
}

describe('a move', () => {
  it('brings everything over as it is, and compares it', async () => {
    const result = await moveTo(target)
    expect(result).toEqual({
      ok: true,
      compared: {
        catalog: 1,
        customer: 8,
        subscription: 7,
        api_key: 14,
        record: 2,
        counter: 0,
        event: 211,
        total: 34,
        invoice: 19,
      },
      differences: [],
    })
    expect(contentOf(target)).toEqual(contentOf(source))
    expect(new Set(contentOf(target).invoices.map(({ status }) => status)).size).toBe(5)
    expect(new Set(contentOf(target).totals.map(({ round }) => round))).toEqual(new Set([0, 1, 2]))
    expect(contentOf(target).events.filter(({ corrects }) => corrects !== null)).toHaveLength(11)
  })

  it('brings grants over with what was used of them, payments, unpriced usage, counters, and what became of invoices', async () => {
    const copy = path.join(folder, 'copy.db')
    await moveTo(copy)
    const store = openStore(copy)
    await addRecords(store)
    const result = await move({ from: store, to: openStore(target) })
    expect(result).toMatchObject({ ok: true, compared: { record: 9, counter: 2 }, differences: [] })
    await closeAll()
    expect(contentOf(target)).toEqual(contentOf(copy))
    // And again, into a target that has some of it.
    const later = openStore(copy)
    await addMoreRecords(later)
    expect(await move({ from: later, to: openStore(target) })).toMatchObject({ ok: true, differences: [] })
    await closeAll()
    expect(contentOf(target)).toEqual(contentOf(copy))
  })

  it('leaves a store that an application goes on with: repeats are repeats, numbers go on, and the audit is sound', async () => {
    await moveTo(target)
    const engine = start(target, { at: Date.UTC(2026, 3, 1), series: 'EU' })
    const repeated = {
      customerId: 'customer-2',
      feature: 'downloads',
      value: '0.000001',
      properties: { region: 'eu', size: 0, cached: true },
    }
    expect(await engine.usage.track({ ...repeated, idempotencyKey: 'job-2-0' })).toMatchObject({ kind: 'repeat' })
    const { invoices } = await engine.closePeriods()
    expect(invoices.map(({ number }) => number).slice(0, 2)).toEqual(['EU-000008', 'EU-000009'])
    expect(await engine.verify()).toMatchObject({ ok: true, events: 211, differences: [] })
  })

  it('goes on after having died at any of its changes, and ends the same', async () => {
    const whole = contentOf(source)
    const uninterrupted = dyingAfter(openStore(target), Infinity)
    await move({ from: openStore(source), to: uninterrupted.store })
    await closeAll()
    expect(uninterrupted.changes()).toBeGreaterThan(150)
    for (let changes = 0; changes < uninterrupted.changes(); changes += 7) {
      const file = path.join(folder, `died-${changes}.db`)
      const dying = move({ from: openStore(source), to: dyingAfter(openStore(file), changes).store })
      await expect(dying, `after ${changes} changes`).rejects.toThrow(/killed/)
      await closeAll()
      expect(await moveTo(file), `after ${changes} changes`).toMatchObject({ ok: true })
      expect(contentOf(file), `after ${changes} changes`).toEqual(whole)
    }
  }, 60_000)

  it('brings over what came in since, when it is done again', async () => {
    const copy = path.join(folder, 'copy.db')
    await moveTo(copy)
    await moveTo(target, copy)
    const engine = start(copy, { at: MARCH + 40 * 86_400_000 })
    await engine.usage.track({ customerId: 'newcomer', feature: 'api_calls', value: 3 })
    await engine.usage.track({ customerId: 'customer-1', feature: 'api_calls', value: 3 })
    await engine.usage.track({ customerId: 'customer-0', feature: 'api_calls', value: 3, timestamp: JANUARY })
    await engine.usage.track({ customerId: 'customer-3', feature: 'api_calls', value: 3 })
    const [key] = await engine.apiKeys.list('customer-1')
    await engine.apiKeys.revoke(key?.id ?? '')
    await engine.customers.create({ id: 'customer-1', name: 'One' })
    await engine.closePeriods()
    await closeAll()
    expect(await moveTo(target, copy)).toMatchObject({ ok: true })
    expect(contentOf(target)).toEqual(contentOf(copy))
  })

  it('says what differs, and never that all is well, when the source was used meanwhile', async () => {
    const copy = path.join(folder, 'copy.db')
    await moveTo(copy)
    const engine = start(copy)
    const result = await move({
      from: openStore(copy),
      to: openStore(target),
      onProgress({ step, done }) {
        if (step === 'comparison' && done === 0) void engine.usage.track({ customerId: 'customer-1', feature: 'api_calls' })
      },
    })
    expect(result.ok).toBe(false)
    expect(result.differences).toEqual([
      {
        kind: 'total',
        customerId: 'customer-1',
        message: expect.stringMatching(
          /^api_calls of customer-1 in the period from 2026-03-01\S+: expected 1 in 1 events, found/,
        ),
      },
      { kind: 'total', customerId: null, message: 'Expected 35 totals in the target, found 34' },
    ])
  })
})

describe('a move is refused before anything is written', () => {
  const reserve = (store: Store): Promise<void> =>
    store.change({ customerId: 'customer-1' }, () => ({
      result: undefined,
      entries: [
        {
          kind: 'reserved',
          reservation: {
            customerId: 'customer-1',
            feature: 'api_calls',
            quantity: 2_000_000n,
            key: 'held',
            at: MARCH,
            route: null,
            periodStart: MARCH,
          },
        },
      ],
    }))

  it('while the source has pending reservations; those of a dead process are ended by the rule', async () => {
    const copy = path.join(folder, 'copy.db')
    await moveTo(copy)
    const app = openStore(copy)
    await reserve(app)
    await expect(move({ from: openStore(copy), to: openStore(target) })).rejects.toMatchObject({
      code: 'reservations_pending',
      message: expect.stringMatching(/found 1, 0 of them of processes that died: stop the application/),
    })
    await closeAll()
    await expect(moveTo(target, copy)).rejects.toMatchObject({
      code: 'reservations_pending',
      fields: { pending: 1, orphans: 1 },
      message: expect.stringMatching(/--on-crash charge or --on-crash void/),
    })
    await closeAll()
    expect(contentOf(target).customers).toEqual([])

    expect(await runFarebox(folder, ['move', '--from', copy, '--to', target, '--on-crash', 'charge'])).toMatchObject({
      status: 0,
    })
    expect(contentOf(target)).toEqual(contentOf(copy))
    expect(contentOf(target).events.find(({ key }) => key === 'held')).toMatchObject({ quantity: '2.000000' })
  })

  it('when retention took events out of the source, when numbers are missing, when there is nothing', async () => {
    const from = openStore(source)
    const dropped = { quantity: 1n, events: 1, cost: DECIMAL_ZERO, uncovered: DECIMAL_ZERO }
    const retained = having(from, {
      totals: async (page) => withItems(await from.totals(page), (items) => items.map((total) => ({ ...total, dropped }))),
    })
    await expect(move({ from: retained, to: openStore(target) })).rejects.toMatchObject({ code: 'not_movable' })
    const gapped = having(from, {
      invoices: async (page) =>
        withItems(await from.invoices(page), (items) => items.filter(({ number }) => number !== 'FB-000003')),
    })
    await expect(move({ from: gapped, to: openStore(target) })).rejects.toMatchObject({
      code: 'not_movable',
      message: expect.stringMatching(/no number 3 in the series FB/),
    })
    await expect(move({ from: openStore(path.join(folder, 'empty.db')), to: openStore(target) })).rejects.toMatchObject({
      code: 'not_movable',
      message: expect.stringMatching(/found nothing in/),
    })
    await closeAll()
    expect(contentOf(target).customers).toEqual([])
  })

  it('when the target holds what is not the source’s', async () => {
    const cases: Record<string, (file: string) => Promise<unknown>> = {
      'another customer': async (file) => start(file).usage.track({ customerId: 'stranger', feature: 'api_calls' }),
      'a customer of the same id': async (file) => start(file).customers.create({ id: 'customer-1' }),
      'an event that an application counted since': async (file) => {
        await moveTo(file)
        await start(file).usage.track({ customerId: 'customer-1', feature: 'api_calls' })
      },
      'an event in place of the next one': async (file) => {
        await expect(move({ from: openStore(source), to: dyingAfter(openStore(file), 40).store })).rejects.toThrow()
        await closeAll()
        await start(file).usage.track({ customerId: 'customer-1', feature: 'api_calls', value: 77 })
      },
      'an invoice that an application made since': async (file) => {
        await moveTo(file)
        await start(file).closePeriods({ until: MARCH })
        await start(file, { at: MARCH + 40 * 86_400_000 }).closePeriods()
      },
      'a grant that an application made since': async (file) => {
        await moveTo(file)
        await addRecords(openStore(file))
      },
      'a request in flight': async (file) => {
        await moveTo(file)
        await reserve(openStore(file))
      },
    }
    for (const [name, prepare] of Object.entries(cases)) {
      const file = path.join(folder, `${name}.db`)
      await prepare(file)
      await closeAll()
      const before = contentOf(file)
      await expect(moveTo(file), name).rejects.toMatchObject({ code: 'target_not_empty' })
      await closeAll()
      expect(contentOf(file), name).toEqual(before)
    }
  })
})

describe('farebox move', () => {
  it('killed with kill -9 again and again goes on, and ends as if it was never killed', async () => {
    const large = path.join(folder, 'large.db')
    await fill(large, { customers: 40, events: 1_500 })
    const command = ['move', '--from', large, '--to', target]
    for (const said of [/Reading/, /Moving customers/, /Moving events/, /Moving events/, /Moving invoices/, /Comparing/]) {
      await runFarebox(folder, command, { killAt: { said, afterMs: Math.random() * 60 } })
    }
    expect(await runFarebox(folder, [...command, '--json', 'out/moved.json'])).toMatchObject({ status: 0 })
    expect(contentOf(target)).toEqual(contentOf(large))
    expect(JSON.parse(readFileSync(path.join(folder, 'out/moved.json'), 'utf8'))).toMatchObject({
      ok: true,
      compared: { event: 4_531 },
    })
  }, 120_000)

  it('stops at Ctrl+C with status 130, and goes on', async () => {
    const large = path.join(folder, 'large.db')
    await fill(large, { customers: 40, events: 1_500 })
    const command = ['move', '--from', large, '--to', target]
    const stopped = await runFarebox(folder, command, { killAt: { said: /Moving events/, afterMs: 0, signal: 'SIGINT' } })
    expect(stopped).toMatchObject({ status: 130, stderr: expect.stringMatching(/Stopped: the same command goes on\n$/) })
    expect(await runFarebox(folder, command)).toMatchObject({ status: 0 })
    expect(contentOf(target)).toEqual(contentOf(large))
  }, 60_000)

  it('shows how far it is and what it compared', async () => {
    const ended = await runFarebox(folder, ['move', '--from', source, '--to', target])
    expect(ended.status).toBe(0)
    expect(ended.stderr).toMatch(/^Reading \S+source\.db\nMoving customers\n[^]*Moving events\n[^]*Moved and compared\n$/)
    expect(ended.stdout).toMatch(/^events +211$/m)
    expect(ended.stdout).toMatch(/^records +2$/m)
    expect(ended.stdout).toMatch(/^the same in both$/m)
  })

  it('ends with status 1 and one sentence for what the user can mend', async () => {
    const table: readonly [readonly string[], RegExp][] = [
      [['--from', 'nowhere.db', '--to', target], /^farebox: There is no database nowhere\.db: give --from/m],
      [['--from', source, '--to', source], /^farebox: --from and --to are both \S+source\.db: give --to another place$/m],
      [['--from', source], /required option '--to <store>' not specified/],
      [['--from', source, '--to', target, '--on-crash', 'maybe'], /Allowed choices are charge, void/],
      [['--from', source, '--to', 'postgres://user:pa:ss@[/x'], /^farebox: Expected a URL such as postgres:/m],
      [['--from', source, '--to', 'postgres://user:secret@127.0.0.1:1/none'], /^farebox: The database/m],
    ]
    for (const [args, message] of table) {
      const ended = await runFarebox(folder, ['move', ...args])
      expect(ended, args.join(' ')).toMatchObject({ status: 1, stderr: expect.stringMatching(message) })
      expect(ended.stderr, 'no stack, and no password').not.toMatch(/^ {4}at |secret/m)
    }
    expect(existsSync(path.join(folder, 'nowhere.db'))).toBe(false)
  }, 30_000)
})

/** A store some of whose members are others. */
function having(store: Store, members: Partial<Store>): Store {
  return new Proxy(store, {
    get(_, name: keyof Store) {
      const member = members[name] ?? store[name]
      return typeof member === 'function' ? member.bind(store) : member
    },
  })
}

function withItems<T>({ items, next }: Page<T>, change: (items: readonly T[]) => readonly T[]): Page<T> {
  return { items: change(items), next }
}
