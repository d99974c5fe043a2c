/** One step of a history, done to the model and to the engine; after each of them both must say the same. */

import fc from 'fast-check'
import { FareboxError, formatQuantity, type Invoice } from '@farebox/core'
import type { Outcome } from '@farebox/core/http'
import { expect } from 'vitest'
import type { Model, ModelAnswer, ModelEvent, ModelInvoice } from './reference.ts'
import type { Asked, Server, World } from './world.ts'

/** What happens, as plain data, so that a failure prints the history that it needs. */
export type Step =
  | {
      readonly kind: 'track'
      readonly customer: string
      readonly feature: string
      readonly units: bigint
      readonly isKeyed: boolean
      readonly ageMs: number | null
      readonly server: number
    }
  /** A key that was given before, with the same content or with another value. */
  | { readonly kind: 'again'; readonly which: number; readonly more: bigint; readonly server: number }
  /** What a key stands for was less. */
  | { readonly kind: 'correct'; readonly which: number; readonly units: bigint; readonly server: number }
  | {
      readonly kind: 'reserve'
      readonly customer: string
      readonly feature: string
      readonly units: bigint
      readonly server: number
    }
  | {
      readonly kind: 'settle'
      readonly which: number
      readonly how: 'finished' | 'failed' | 'aborted' | 'not_started'
      readonly units: bigint
    }
  /** A process dies: what it held is charged. */
  | { readonly kind: 'expire'; readonly server: number }
  | { readonly kind: 'advance'; readonly ms: number }
  | { readonly kind: 'close'; readonly server: number }

/** The model, and what the test remembers to go with it. */
export interface Expected {
  readonly model: Model
  readonly keys: { readonly customer: string; readonly event: ModelEvent; readonly isInstantGiven: boolean }[]
  count: number
}

const DAY_MS = 86_400_000

const customer = fc.constantFrom('ann', 'ann', 'bob', 'cyd', 'dee', 'eve', 'fay')
const feature = fc.constantFrom('calls', 'calls', 'files')
const server = fc.constantFrom(0, 1)
const units = fc.oneof(
  { weight: 6, arbitrary: fc.bigInt(0n, 6n).map((whole) => whole * 1_000_000n) },
  { weight: 2, arbitrary: fc.bigInt(1n, 12_000_000n) },
)
const age = fc.option(fc.oneof(fc.integer({ min: 0, max: 2 * DAY_MS }), fc.integer({ min: 0, max: 70 * DAY_MS })), { nil: null })

export const steps: fc.Arbitrary<Step>[] = [
  fc.record({ kind: fc.constant('track' as const), customer, feature, units, isKeyed: fc.boolean(), ageMs: age, server }),
  fc.record({ kind: fc.constant('again' as const), which: fc.nat(50), more: fc.constantFrom(0n, 0n, 1n), server }),
  fc.record({ kind: fc.constant('correct' as const), which: fc.nat(50), units, server }),
  fc.record({ kind: fc.constant('reserve' as const), customer, feature, units, server }),
  fc.record({ kind: fc.constant('reserve' as const), customer, feature, units, server }),
  fc.record({
    kind: fc.constant('settle' as const),
    which: fc.nat(50),
    how: fc.constantFrom('finished', 'finished', 'failed', 'aborted', 'not_started'),
    units,
  }),
  fc.record({ kind: fc.constant('expire' as const), server }),
  fc.record({
    kind: fc.constant('advance' as const),
    ms: fc.oneof(fc.integer({ min: 1, max: DAY_MS }), fc.integer({ min: 1, max: 45 * DAY_MS })),
  }),
  fc.record({ kind: fc.constant('close' as const), server }),
]

/** fast-check's shape of a step: it may always be taken. */
export class Command implements fc.AsyncCommand<Expected, World> {
  readonly step: Step

  constructor(step: Step) {
    this.step = step
  }

  check(): boolean {
    return true
  }

  async run(expected: Expected, world: World): Promise<void> {
    expected.count += 1
    await take(this.step, expected, world)
    const reader = world.servers[expected.count % 2] as Server
    await compare(expected, world, reader)
    if (this.step.kind === 'close') compareInvoices(expected.model.invoices, await world.readInvoices(reader))
  }

  toString(): string {
    return JSON.stringify(this.step, (_name, value: unknown) => (typeof value === 'bigint' ? formatQuantity(value) : value))
  }
}

async function take(step: Step, expected: Expected, world: World): Promise<void> {
  const { model } = expected
  switch (step.kind) {
    case 'track':
      return track(step, expected, world)
    case 'again':
      return again(step, expected, world)
    case 'correct':
      return correct(step, expected, world)
    case 'reserve':
      return reserve(step, expected, world)
    case 'settle':
      return settle(step, expected, world)
    case 'expire':
      model.expire(step.server)
      return world.replace(step.server)
    case 'advance':
      return world.clock.advance(step.ms)
    case 'close': {
      const { waiting, held } = await serverOf(world, step.server).farebox.closePeriods()
      expect([...waiting].toSorted()).toEqual(model.close(world.clock.now()).toSorted())
      expect(held).toEqual([])
    }
  }
}

async function track(step: Extract<Step, { kind: 'track' }>, { model, keys, count }: Expected, world: World): Promise<void> {
  const at = world.clock.now() - (step.ageMs ?? 0)
  const event: ModelEvent = {
    feature: step.feature,
    quantity: step.units,
    at,
    key: step.isKeyed ? `key-${count}` : null,
    route: null,
  }
  const isInstantGiven = step.ageMs !== null
  if (step.isKeyed) keys.push({ customer: step.customer, event, isInstantGiven })
  const answer = await tracked(serverOf(world, step.server), { customer: step.customer, event, isInstantGiven })
  expect(answer).toBe(model.track(step.customer, event, isInstantGiven))
}

async function again(
  { which, more, server: index }: Extract<Step, { kind: 'again' }>,
  { model, keys }: Expected,
  world: World,
): Promise<void> {
  if (keys.length === 0) return
  const first = keys[which % keys.length] as Expected['keys'][number]
  const at = first.isInstantGiven ? first.event.at : world.clock.now()
  const given = { ...first, event: { ...first.event, quantity: first.event.quantity + more, at } }
  expect(await tracked(serverOf(world, index), given)).toBe(model.track(given.customer, given.event, given.isInstantGiven))
}

async function tracked(
  { farebox }: Server,
  { customer: customerId, event, isInstantGiven }: Expected['keys'][number],
): Promise<ModelAnswer> {
  try {
    const result = await farebox.usage.track({
      customerId,
      feature: event.feature,
      value: formatQuantity(event.quantity),
      ...(event.key === null ? {} : { idempotencyKey: event.key }),
      ...(isInstantGiven ? { timestamp: event.at } : {}),
    })
    // No plan here sells the tokens of a model, so nothing waits for a price.
    if (result.kind === 'queued') throw new Error('Nothing here has no price')
    return result.kind === 'refused' ? (result.refusal.code as ModelAnswer) : result.kind
  } catch (error) {
    if (error instanceof FareboxError && error.code === 'period_invoiced') return error.code
    throw error
  }
}

/** What was tracked under a key was less, or not at all; one that the plan refused is not there. */
async function correct(
  { which, units: wanted, server: index }: Extract<Step, { kind: 'correct' }>,
  { model, keys }: Expected,
  world: World,
): Promise<void> {
  if (keys.length === 0) return
  const { customer: customerId, event } = keys[which % keys.length] as Expected['keys'][number]
  const idempotencyKey = event.key as string
  expect(await corrected(serverOf(world, index), { customerId, idempotencyKey, value: formatQuantity(wanted) })).toBe(
    model.correct(customerId, idempotencyKey, wanted),
  )
}

async function corrected({ farebox }: Server, input: Parameters<Server['farebox']['usage']['correct']>[0]): Promise<string> {
  try {
    return (await farebox.usage.correct(input)).kind
  } catch (error) {
    if (error instanceof FareboxError) return error.code
    throw error
  }
}

async function reserve(step: Extract<Step, { kind: 'reserve' }>, { model, count }: Expected, world: World): Promise<void> {
  const chosen = serverOf(world, step.server)
  const gate = chosen.gates[step.feature] as Server['gates'][string]
  const asked: Asked = { customer: step.customer, reserve: formatQuantity(step.units), bill: '0' }
  const route = `/${step.feature}/:id`
  const held = {
    customer: step.customer,
    feature: step.feature,
    quantity: step.units,
    at: world.clock.now(),
    route,
    server: step.server,
  }
  const verdict = await gate.admit({ method: 'GET', route, header: () => undefined, raw: asked })
  const answer = model.admit(held)
  if (answer === 'admitted') model.reservations.set(count, held)
  if (verdict.kind === 'admitted') world.requests.set(count, { asked, ticket: verdict.ticket, gate, server: chosen })
  expect(verdict.kind === 'refused' ? JSON.parse(verdict.reply.body).code : verdict.kind).toBe(answer)
}

async function settle(
  { which, how, units: used }: Extract<Step, { kind: 'settle' }>,
  { model }: Expected,
  world: World,
): Promise<void> {
  const ids = [...world.requests.keys()]
  const id = ids[which % Math.max(ids.length, 1)]
  const request = id === undefined ? undefined : world.requests.get(id)
  if (id === undefined || request === undefined) return
  world.requests.delete(id)
  request.asked.bill = formatQuantity(used)
  const held = model.reservations.get(id)
  model.settle(id, how === 'finished' ? used : how === 'aborted' ? (held?.quantity ?? 0n) : null)
  request.gate.settle(request.ticket, OUTCOMES[how], request.asked)
  // A settlement waits for a commit to ride on; nobody else brings one here.
  await request.server.farebox.flush()
}

const OUTCOMES: Readonly<Record<Extract<Step, { kind: 'settle' }>['how'], Outcome>> = {
  finished: { kind: 'finished', status: 200 },
  failed: { kind: 'finished', status: 500 },
  aborted: { kind: 'aborted', status: 200 },
  not_started: { kind: 'not_started' },
}

/** Usage, log and the coming invoice of everybody: the model's figures are the engine's. */
async function compare({ model }: Expected, world: World, { farebox }: Server): Promise<void> {
  const now = world.clock.now()
  await farebox.flush()
  for (const customerId of model.accounts.keys()) {
    const totals = await farebox.usage.totals({ customerId })
    expect(
      totals.map(({ feature: code, posted, reserved, remaining }) => ({ feature: code, posted, reserved, remaining })),
    ).toEqual(model.usage(customerId, now))
    const preview = await farebox.invoices.preview(customerId)
    const coming = model.preview(customerId, now)
    expect(preview && plain(preview)).toEqual(coming)
  }
  const log = await world.readLog(world.servers[0] as Server)
  expect(log.length).toBe(model.log.length)
  expect(
    log.slice(-5).map(({ customerId, feature: code, quantity, at, route }) => ({ customerId, code, quantity, at, route })),
  ).toEqual(
    model.log.slice(-5).map(({ customer: customerId, event }) => ({
      customerId,
      code: event.feature,
      quantity: event.quantity,
      at: event.at,
      route: event.route,
    })),
  )
}

/** The same invoices, numbered 1 to n, each customer's in the order of their moments. */
function compareInvoices(expected: readonly ModelInvoice[], made: readonly Invoice[]): void {
  const finals = made.filter(({ status }) => status !== 'draft')
  const order = (a: ModelInvoice, b: ModelInvoice): number => a.customer.localeCompare(b.customer) || a.moment - b.moment
  expect(finals.map(plain).toSorted(order)).toEqual(expected.toSorted(order))
  expect(finals.map(({ number }) => number).toSorted()).toEqual(
    finals.map((_invoice, index) => `FB-${String(index + 1).padStart(6, '0')}`),
  )
  for (const invoice of finals) {
    // What takes back more than it adds owes nothing either.
    expect(invoice.status).toBe(invoice.total.minor <= 0n ? 'paid' : 'open')
    const earlier = finals.filter(
      ({ customerId, number }) => customerId === invoice.customerId && String(number) < String(invoice.number),
    )
    expect(earlier.every(({ issuedAt }) => issuedAt < invoice.issuedAt)).toBe(true)
  }
}

/** An invoice as the model writes it: one entry per feature, and one for each earlier period that something came late to. */
function plain({ customerId, id, type, lines, total }: Invoice): ModelInvoice {
  const nameOf = (line: Invoice['lines'][number]): string =>
    line.type === 'adjustment' ? `late ${line.period[0]} ${line.feature}` : `usage ${line.feature}`
  const usage = lines.filter((line) => line.type !== 'adjustment')
  const late = lines.filter((line) => line.type === 'adjustment')
  const inOrder = [...usage, ...late.toSorted((a, b) => a.period[0] - b.period[0] || featureOrder(a, b))]
  return {
    customer: customerId,
    moment: Number(id.slice(id.lastIndexOf('-') + 1)),
    type: type as ModelInvoice['type'],
    lines: [...Map.groupBy(inOrder, nameOf).values()].map((own) => {
      const sum = (pick: (line: (typeof own)[number]) => bigint): bigint => own.reduce((all, line) => all + pick(line), 0n)
      return {
        feature: own[0]?.feature ?? null,
        isLate: own[0]?.type === 'adjustment',
        quantity: sum((line) => line.quantity),
        included: sum((line) => line.included),
        billable: sum((line) => line.billable),
        cents: sum((line) => line.amount.minor),
        period: [...(own[0]?.period ?? [0, 0])] as [number, number],
      }
    }),
    cents: total.minor,
  }
}

/** As the catalog lists them. */
function featureOrder(a: Invoice['lines'][number], b: Invoice['lines'][number]): number {
  return (a.feature ?? '') < (b.feature ?? '') ? -1 : 1
}

function serverOf(world: World, index: number): Server {
  return world.servers[index] as Server
}
