/** What the proofs found, each as the shortest story on SQLite that shows it. */

import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createFarebox, type Farebox, FareboxError, type Store, testClock, type TestClock } from '@farebox/core'
import { submitBy } from '@farebox/core/contracts'
import type { Gate, Verdict } from '@farebox/core/http'
import { sqlite } from '@farebox/core/sqlite'
import { expect, onTestFinished, test } from 'vitest'
import { CATALOG } from '../model/price-list.ts'

const START = Date.UTC(2025, 0, 10)
const NEXT_MONTH = Date.UTC(2025, 1, 10)

interface Server {
  readonly farebox: Farebox
  readonly gate: Gate<Promise<void>>
  readonly clock: TestClock
  readonly folder: string
}

test('a request that came in just before its period was invoiced counts in the next one', async () => {
  const server = await opened()
  await server.farebox.usage.track({ customerId: 'ann', feature: 'calls' })
  server.clock.set(NEXT_MONTH - 1)
  const { isIn, letIn } = door()
  const verdict = admitted(server, isIn)
  server.clock.set(NEXT_MONTH)
  await server.farebox.closePeriods()
  letIn()
  expect(await outcomeOf(server, await verdict)).toEqual(COUNTED_ONCE)
})

test('a clock that is set back over an invoiced period locks nobody out and leaves nothing reserved', async () => {
  const server = await opened()
  // Nobody used anything, so the closed period has no invoice; it is closed all the same.
  server.clock.set(NEXT_MONTH)
  await server.farebox.closePeriods()
  server.clock.advance(-3_600_000)
  expect(await outcomeOf(server, await admitted(server))).toEqual(COUNTED_ONCE)
})

test('an invoice waits for a request that was admitted between its draft and its number', async () => {
  const { isIn, letIn } = door()
  let verdict: Promise<Verdict> | null = null
  const server = await opened((store) => ({
    change: async (target, decide) => {
      let isDraft = false
      const result = await store.change(target, (state) => {
        const change = decide(state)
        isDraft = change.entries.some(({ kind }) => kind === 'drafted')
        return change
      })
      if (isDraft) letIn()
      if (isDraft && verdict !== null) await verdict
      return result
    },
  }))
  await server.farebox.usage.track({ customerId: 'ann', feature: 'calls' })
  server.clock.set(NEXT_MONTH - 1)
  verdict = admitted(server, isIn)
  server.clock.set(NEXT_MONTH)
  await server.farebox.closePeriods()
  expect(await outcomeOf(server, await verdict)).toEqual(COUNTED_ONCE)
})

test.each([0, 1_000])(
  'an event that comes in while a draft is audited holds no invoice back, with %i accounts in memory',
  async (cacheSize) => {
    let isLate = true
    const change = (store: Store, farebox: () => Farebox): Partial<Store> => ({
      events: async (query) => {
        if (isLate) {
          isLate = false
          await farebox().usage.track({ customerId: 'ann', feature: 'calls', timestamp: START + 1 })
        }
        return store.events(query)
      },
    })
    const server = await opened(change, { cacheSize })
    await server.farebox.usage.track({ customerId: 'ann', feature: 'calls' })
    server.clock.set(NEXT_MONTH)
    const { held, invoices } = await server.farebox.closePeriods()
    expect(held).toEqual([])
    expect(invoices.map(({ lines }) => lines.map(({ quantity }) => quantity))).toEqual([[2_000_000n]])
  },
)

test('a late event of an invoiced period is answered with period_invoiced, also when it is larger than the allowance', async () => {
  const { farebox, clock } = await opened()
  await farebox.usage.track({ customerId: 'ann', feature: 'calls' })
  clock.set(NEXT_MONTH)
  await farebox.closePeriods()
  await expect(
    farebox.usage.track({ customerId: 'ann', feature: 'calls', value: 11, timestamp: START + 1 }),
  ).rejects.toMatchObject({ code: 'period_invoiced' })
})

test('the requests in flight of a process that died are ended together, not one commit after the other', async () => {
  const dead = await opened()
  for (let n = 0; n < 10; n += 1) await admitted(dead)
  for (const name of readdirSync(dead.folder).filter((file) => file.includes('-process-'))) rmSync(path.join(dead.folder, name))
  let [atOnce, most] = [0, 0]
  const heir = await opened(
    (store) => ({
      change: async (target, decide) => {
        atOnce += 1
        most = Math.max(most, atOnce)
        return store.change(target, decide).finally(() => (atOnce -= 1))
      },
    }),
    { shared: dead.folder },
  )
  expect(most).toBe(10)
  expect(await reserved(heir)).toBe(0n)
})

test('a request that was not served because nobody knows whether it was admitted holds nothing', async () => {
  let isLost = false
  const server = await opened((store) => ({
    change: async (target, decide) => {
      const result = await store.change(target, decide)
      if (!isLost || target.urgency === 'soon') return result
      isLost = false
      throw new FareboxError('store_unavailable', 'The answer of the commit was lost', { fields: { outcome: 'unknown' } })
    },
  }))
  isLost = true
  const verdict = await admitted(server)
  expect(verdict.kind === 'refused' && verdict.reply.status).toBe(503)
  await server.farebox.flush()
  expect(await reserved(server)).toBe(0n)
})

/** Ann is on the free plan since the start. `change` replaces members of the store. */
async function opened(
  change: (store: Store, farebox: () => Farebox) => Partial<Store> = () => ({}),
  { shared, cacheSize = 1_000 }: { shared?: string; cacheSize?: number } = {},
): Promise<Server> {
  const folder = shared ?? mkdtempSync(path.join(tmpdir(), 'farebox-regression-'))
  const store = sqlite({ path: path.join(folder, 'farebox.db'), durability: 'process', cacheSize })
  const changed: Partial<Store> = change(store, () => farebox)
  if (changed.change !== undefined) Object.assign(changed, { submit: submitBy(changed.change) })
  const replaced = new Proxy(store, {
    get: (_store, member) => {
      const value: unknown = Reflect.get(member in changed ? changed : store, member)
      return typeof value === 'function' ? value.bind(store) : value
    },
  })
  const clock = testClock(START)
  const farebox: Farebox = createFarebox({ catalog: CATALOG, store: replaced, clock, onError: () => {} })
  onTestFinished(async () => {
    await farebox.stop({ withinMs: 0 })
    rmSync(folder, { recursive: true, force: true })
  })
  const gate = farebox.createGate<Promise<void>>('calls', { identify: async (isIn) => isIn.then(() => 'ann') })
  await farebox.subscriptions.create({ customerId: 'ann', plan: 'free', startsAt: START })
  return { farebox, gate, clock, folder }
}

/** A request of Ann's, which may have to wait at the door. */
function admitted({ gate }: Server, isIn: Promise<void> = Promise.resolve()): Promise<Verdict> {
  return gate.admit({ method: 'GET', route: '/', header: () => undefined, raw: isIn })
}

function door(): { readonly isIn: Promise<void>; readonly letIn: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { isIn: promise, letIn: resolve }
}

async function reserved({ farebox }: Server): Promise<bigint> {
  const totals = await farebox.usage.totals({ customerId: 'ann' })
  return totals.reduce((all, total) => all + total.reserved, 0n)
}

const COUNTED_ONCE = { times: 1, differences: [], waiting: [], held: [], unitsOnNoInvoice: 0n }

/** Answers the request, invoices everything, and tells what became of it. */
async function outcomeOf({ farebox, gate, clock }: Server, verdict: Verdict): Promise<typeof COUNTED_ONCE> {
  if (verdict.kind !== 'admitted') throw new Error(`Expected to be admitted, got ${JSON.stringify(verdict)}`)
  gate.settle(verdict.ticket, { kind: 'finished', status: 200 }, Promise.resolve())
  const { items: events } = await farebox.events.list()
  clock.set(NEXT_MONTH + 40 * 86_400_000)
  const { waiting, held } = await farebox.closePeriods()
  const { items: invoices } = await farebox.invoices.list()
  const sum = (parts: readonly { readonly quantity: bigint }[]): bigint => parts.reduce((all, { quantity }) => all + quantity, 0n)
  return {
    times: events.filter(({ key }) => key === verdict.ticket.meter.key).length,
    differences: [...(await farebox.verify()).differences] as never[],
    waiting: [...waiting] as never[],
    held: [...held] as never[],
    unitsOnNoInvoice: sum(events) - sum(invoices.flatMap(({ lines }) => lines)),
  }
}
