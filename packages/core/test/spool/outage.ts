/** A Farebox on a real store that can be made to look unreachable, for the tests of the spool and the processes that they kill. */

import { fileURLToPath } from 'node:url'
import type { Store } from '../../src/contracts/store.ts'
import { changeBy, submitBy } from '../../src/contracts/waiting.ts'
import { type Catalog, createFarebox, defineCatalog, type Farebox, FareboxError, type FareboxOptions } from '../../src/index.ts'
import type { Gate, MeterOptions, Outcome, Ticket, Verdict } from '../../src/http/contract.ts'
import { sqlite } from '../../src/sqlite/store.ts'
import { testClock, type TestClock } from '../../src/values/clock.ts'

export const NOON = Date.UTC(2026, 0, 15, 12)

export const catalog: Catalog = defineCatalog({
  currency: 'USD',
  features: { api_calls: { type: 'metered', default: true } },
  plans: {
    large: { price: '0', interval: 'month', default: true, features: { api_calls: { included: 1_000_000 } } },
    small: { price: '0', interval: 'month', features: { api_calls: { included: 10 } } },
  },
})

/** What the connection to the store does to a change. */
export type Fault =
  /** It does not reach the store. */
  | 'unreachable'
  /** It is written, and nobody hears of it. */
  | 'answer_lost'
  /** The same, and settlements do not reach the store. */
  | 'admission_lost'
  /** It is never answered, and not written. */
  | 'hanging'
  /** It is written, and the process dies before it hears of it. */
  | 'killed'

export interface Outage {
  /** Changes meet it while it is set. */
  fault: Fault | null
  /** How many changes were asked for since the start. */
  asked: number
}

export function withOutage(store: Store): { readonly store: Store; readonly outage: Outage } {
  const outage: Outage = { fault: null, asked: 0 }
  const real = changeBy(store.submit.bind(store))
  store.change = async (target, decide) => {
    outage.asked += 1
    const { fault } = outage
    if (fault === 'unreachable') throw new FareboxError('store_unavailable', 'The store is down', {})
    if (fault === 'hanging' || (fault === 'admission_lost' && target.urgency === 'soon')) await new Promise(() => {})
    const result = await real(target, decide)
    if (fault === 'killed') process.kill(process.pid, 'SIGKILL')
    if (fault === 'answer_lost' || fault === 'admission_lost')
      throw new FareboxError('store_unavailable', 'The answer was lost', { fields: { outcome: 'unknown' } })
    return result
  }
  store.submit = submitBy(store.change)
  return { store, outage }
}

export interface Raw {
  readonly customer: string
}

export interface Running {
  readonly farebox: Farebox
  readonly outage: Outage
  readonly clock: TestClock
  readonly errors: unknown[]
  gate(options?: MeterOptions<Raw>): Gate<Raw>
}

export interface StartInput extends Partial<FareboxOptions> {
  readonly database: string
}

/** Who makes durable what a gate settled. */
const fareboxOf = new WeakMap<Gate<Raw>, Farebox>()

export function start({ database, ...options }: StartInput): Running {
  const { store, outage } = withOutage(sqlite({ path: database }))
  const clock = testClock(NOON)
  const errors: unknown[] = []
  const farebox = createFarebox({ catalog, store, clock, onError: (error) => errors.push(error), ...options })
  const gate: Running['gate'] = (meterOptions = {}) => {
    const made = farebox.createGate<Raw>('api_calls', {
      identify: ({ customer }) => customer,
      onStoreError: 'allow',
      ...meterOptions,
    })
    fareboxOf.set(made, farebox)
    return made
  }
  return { farebox, outage, clock, errors, gate }
}

export function ask(gate: Gate<Raw>, customer = 'ada'): Promise<Verdict> {
  const raw = { customer }
  return gate.admit({ method: 'GET', route: '/v1/:id', header: () => undefined, raw })
}

export async function ticketOf(gate: Gate<Raw>, customer = 'ada'): Promise<Ticket> {
  const verdict = await ask(gate, customer)
  if (verdict.kind !== 'admitted') throw new Error(`expected to be let through, got ${JSON.stringify(verdict)}`)
  return verdict.ticket
}

const OK: Outcome = { kind: 'finished', status: 200 }

/** Serves a request to its end. Resolves when what it used is durable. */
export async function serve(gate: Gate<Raw>, customer = 'ada', outcome = OK): Promise<void> {
  gate.settle(await ticketOf(gate, customer), outcome, { customer })
  await fareboxOf.get(gate)?.flush()
}

/** Where `outage-process.ts` is, which tests run and kill. */
export const PROCESS: string = fileURLToPath(new URL('outage-process.ts', import.meta.url))
