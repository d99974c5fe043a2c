/** One history: servers that crash, a store that fails, clients that keep a ledger. Everything that happens comes from the seed. */

import { createFarebox, type Farebox, FareboxError } from '@farebox/core'
import { decimal, DECIMAL_ZERO, type Entry, type Grant } from '@farebox/core/contracts'
import type { Gate } from '@farebox/core/http'
import { CATALOG } from '../model/price-list.ts'
import { Database } from './database.ts'
import { brokenGrants } from './grants.ts'
import { brokenInvariants, brokenReplay, leftOpen } from './invariants.ts'
import { disagreement, type Operation, operationOf } from './operations.ts'
import { random as randomFrom } from './random.ts'
import { type Defect, type Faults, simulatedStore, type SimulatedStore } from './store.ts'

export interface SimulationOptions {
  readonly seed: number
  readonly steps: number
  readonly defect?: Defect
  readonly faults?: Faults
  /** Lets the timers of the engine come: the sweep for processes that died. */
  readonly sweep: () => void
}

export interface History {
  readonly seed: number
  /** What is broken, with the step at which it was seen; null when nothing is. */
  readonly violation: string | null
  readonly counts: { operations: number; events: number; crashes: number; invoices: number; unavailable: number; retries: number }
  /** What happened, in order: the same seed gives the same. */
  readonly trace: string
}

interface Asked {
  readonly customer: string
  readonly units: string
}

interface Server {
  readonly process: string
  readonly store: SimulatedStore
  readonly farebox: Farebox
  readonly gates: Readonly<Record<string, Gate<Asked>>>
  isAlive: boolean
}

const USUAL_FAULTS: Faults = { fail: 0.08, ambiguous: 0.08, late: 0.04, slow: 0.15 }
const SERVERS = 3
const START = Date.UTC(2025, 0, 30, 22)
const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
/** Whatever is under way ends within so many steps once nothing fails. */
const QUIET_WITHIN = 20_000

export async function simulate({
  seed,
  steps,
  defect = 'none',
  faults = USUAL_FAULTS,
  sweep,
}: SimulationOptions): Promise<History> {
  const random = randomFrom(seed)
  const database = new Database()
  const operations: Operation[] = []
  const servers: Server[] = []
  const happening: string[] = []
  const broken: string[] = []
  const now = { faults: { ...faults }, at: START }
  const counts = { operations: 0, events: 0, crashes: 0, invoices: 0, unavailable: 0, retries: 0 }
  let processes = 0

  for (let index = 0; index < SERVERS; index += 1) servers.push(started(index))
  await quiet({ ...now.faults, fail: 0, ambiguous: 0, late: 0 })
  await subscribe()
  for (let step = 0; step < steps && broken.length === 0; step += 1) {
    happening.push(act())
    await turn()
    note([...brokenInvariants(database), ...brokenGrants(database)], step)
    if (step % 50 === 0) note(brokenReplay(database), step)
  }
  if (broken.length === 0) await settleDown()
  for (const { farebox } of servers) await Promise.race([farebox.stop({ withinMs: 0 }), turn()])
  Object.assign(counts, { operations: operations.length, events: database.log.length, invoices: database.invoices.size })
  return { seed, violation: broken[0] ?? null, counts, trace: happening.join(' ') }

  /** One thing happens. Gives its name. */
  function act(): string {
    const living = servers.filter(({ isAlive }) => isAlive)
    const running = operations.filter(
      (operation) => operation.told === 'admitted' && operation.billed === undefined && !operation.sawCrash,
    )
    const again = operations.filter(({ kind, told }) => kind === 'keyed' && (told === 'unavailable' || told === 'cut'))
    const dice = random.next()
    const server = living.length === 0 ? undefined : random.pick(living)
    if (server === undefined || (dice < 0.05 && living.length < SERVERS)) return restart()
    if (dice < 0.45) return `step:${server.store.step()}`
    if (dice < 0.62) return request(server)
    if (dice < 0.7) return report(server, random.chance(0.7) ? 'keyed' : 'keyless')
    if (dice < 0.74 && again.length > 0) return retry(server, random.pick(again))
    if (dice < 0.9 && running.length > 0) return answer(random.pick(running))
    if (dice < 0.92) return passTime(random.below(random.chance(0.5) ? MINUTE_MS / 4 : 10 * MINUTE_MS))
    if (dice < 0.925) return passTime(random.below(12 * DAY_MS))
    if (dice < 0.935) return passTime(untilPeriodEnd())
    if (dice < 0.955) return close(server)
    if (dice < 0.962) return crash(server)
    if (dice < 0.98) return sweeping()
    return look(server)
  }

  function started(index: number): Server {
    processes += 1
    const process = `process-${processes}`
    const skewMs = (random.below(5) - 2) * 20_000
    const store = simulatedStore({ database, process, random, faults: now.faults, defect })
    const farebox = createFarebox({ catalog: CATALOG, store, clock: { now: () => now.at + skewMs }, onError: hear })
    const gate = (feature: string): Gate<Asked> =>
      farebox.createGate<Asked>(feature, { identify: ({ customer }) => customer, units: ({ units }) => units })
    const server: Server = { process, store, farebox, gates: { calls: gate('calls'), files: gate('files') }, isAlive: true }
    farebox.ready.catch((error: unknown) => {
      hear(error)
      // An application that cannot start ends, and is started again.
      if (server.isAlive && servers[index] === server) crash(server)
    })
    return server
  }

  function restart(): string {
    const index = servers.findIndex(({ isAlive }) => !isAlive)
    void servers[index]?.farebox.stop({ withinMs: 0 })
    servers[index] = started(index)
    return `restart:${index}`
  }

  function newOperation(kind: Operation['kind'], process: string): Operation {
    const whole = BigInt(random.below(4)) * 1_000_000n
    const operation: Operation = {
      number: operations.length,
      kind,
      customer: random.pick(['ann', 'ann', 'abe', 'bob', 'cyd', 'dot', 'eli']),
      feature: random.pick(['calls', 'calls', 'calls', 'files']),
      quantity: random.chance(0.8) ? whole : BigInt(random.below(3_000_000)),
      // Some of what is reported happened long ago, in a period that may be invoiced by now.
      at: kind !== 'request' && random.chance(0.3) ? now.at - random.below(45 * DAY_MS) : null,
      process,
      told: 'nothing',
      sawCrash: false,
      sawFailure: false,
      ticket: null,
      billed: undefined,
      isSettled: false,
    }
    operations.push(operation)
    return operation
  }

  function request(server: Server): string {
    const operation = newOperation('request', server.process)
    const { customer, feature, quantity, number } = operation
    const raw = { customer, units: unitsOf(quantity) }
    void server.gates[feature]?.admit({ method: 'GET', route: `/${number}`, header: () => undefined, raw }).then((verdict) => {
      if (!server.isAlive) return
      if (verdict.kind === 'admitted') Object.assign(operation, { told: 'admitted', ticket: verdict.ticket })
      if (verdict.kind === 'refused') operation.told = verdict.reply.status === 503 ? 'unavailable' : 'refused'
      if (operation.told === 'unavailable') counts.unavailable += 1
      if (operation.told === 'admitted') note(held(operation), operations.length)
    }, hear)
    return `request:${number}:${customer}:${quantity}`
  }

  /** A client that is told "admitted" can rely on it: the reservation is durable at that moment. */
  function held({ number, customer }: Operation): string[] {
    const isHeld = [...(database.accounts.get(customer)?.reservations.values() ?? [])].some(({ route }) => route === `/${number}`)
    return isHeld ? [] : [`admitted request ${number} of ${customer} holds nothing`]
  }

  /** The handler ends and its answer goes out. */
  function answer(operation: Operation): string {
    const server = servers.find(({ process }) => process === operation.process) as Server
    const { feature, customer, quantity, ticket } = operation
    const how = random.below(4)
    const raw = { customer, units: unitsOf(quantity) }
    operation.billed = how === 0 ? null : quantity
    const outcome =
      how === 0
        ? { kind: 'finished' as const, status: 500 }
        : how === 1
          ? { kind: 'aborted' as const, status: 200 }
          : { kind: 'finished' as const, status: 200 }
    server.gates[feature]?.settle(ticket as NonNullable<typeof ticket>, outcome, raw)
    // The gate asks the store at once, and tells `hear` itself what goes wrong.
    void server.store.lastChange().then(
      () => (operation.isSettled = server.isAlive),
      () => {},
    )
    return `answer:${operation.number}:${how}`
  }

  function report(server: Server, kind: 'keyed' | 'keyless'): string {
    const operation = newOperation(kind, server.process)
    send(server, operation)
    return `${kind}:${operation.number}:${operation.customer}:${operation.quantity}`
  }

  function retry(server: Server, operation: Operation): string {
    counts.retries += 1
    Object.assign(operation, { told: 'nothing', process: server.process })
    send(server, operation)
    return `retry:${operation.number}`
  }

  function send({ farebox, process }: Server, operation: Operation): void {
    const { number, kind, customer: customerId, feature, quantity, at } = operation
    const key = { ...(kind === 'keyed' ? { idempotencyKey: `key-${number}` } : {}), ...(at === null ? {} : { timestamp: at }) }
    const isCurrent = (): boolean => operation.process === process && !database.dead.has(process)
    void farebox.usage.track({ customerId, feature, value: unitsOf(quantity), properties: { operation: number }, ...key }).then(
      ({ kind: result }) => {
        if (isCurrent()) operation.told = result === 'refused' ? 'refused' : 'recorded'
        if (result === 'conflict') note([`report ${number} conflicts with itself`], operations.length)
      },
      (error: unknown) => {
        if (!isCurrent()) return
        const isInvoiced = error instanceof FareboxError && error.code === 'period_invoiced'
        if (!isInvoiced) hear(error)
        Object.assign(operation, isInvoiced ? { told: 'refused' } : { told: 'unavailable', sawFailure: true })
      },
    )
  }

  function passTime(ms: number): string {
    now.at += ms
    return `time:${ms}`
  }

  /** To just before somebody's period ends: some servers' clocks are past it, others are not. */
  function untilPeriodEnd(): number {
    const ends = [...database.accounts.values()].flatMap(({ subscription }) => subscription?.dueAt ?? [])
    const next = ends.filter((end) => end > now.at)
    return next.length === 0 ? 0 : Math.max(0, random.pick(next) - now.at - random.below(MINUTE_MS))
  }

  function close({ farebox }: Server): string {
    farebox.closePeriods().then(
      ({ held: back }) =>
        note(
          back.map(({ customerId }) => `4: the invoice of ${customerId} is held back`),
          0,
        ),
      hear,
    )
    return 'close'
  }

  function crash(server: Server): string {
    server.isAlive = false
    server.store.crash()
    counts.crashes += 1
    for (const operation of operations) {
      if (operation.process !== server.process) continue
      if (operation.told === 'nothing') Object.assign(operation, { told: 'cut', sawCrash: true })
      else if (operation.told === 'unavailable' || (operation.told === 'admitted' && !operation.isSettled))
        operation.sawCrash = true
    }
    return `crash:${server.process}`
  }

  function sweeping(): string {
    sweep()
    return 'sweep'
  }

  function look({ farebox }: Server): string {
    const customerId = random.pick(['ann', 'bob', 'cyd'])
    void farebox.usage.totals({ customerId }).catch(hear)
    void farebox.invoices.preview(customerId).catch(hear)
    return 'look'
  }

  /** Errors that the store's faults explain are expected; a broken invariant of the engine is a finding. */
  function hear(error: unknown): void {
    if (error instanceof FareboxError && (error.code === 'store_unavailable' || error.code === 'stopped')) return
    note([`engine: ${error instanceof Error ? error.message : String(error)}`], 0)
  }

  function note(found: readonly string[], step: number): void {
    for (const violation of found) broken.push(`step ${step}, after ${happening.at(-1) ?? 'start'}: ${violation}`)
  }

  async function subscribe(): Promise<void> {
    const { farebox } = servers[0] as Server
    await done(farebox.subscriptions.create({ customerId: 'bob', plan: 'starter', startsAt: Date.UTC(2024, 11, 31, 10) }))
    await done(farebox.subscriptions.create({ customerId: 'cyd', plan: 'tiered', startsAt: Date.UTC(2024, 10, 30) }))
    await done(farebox.subscriptions.create({ customerId: 'dot', plan: 'credits', startsAt: Date.UTC(2024, 11, 31, 20) }))
    await done(farebox.subscriptions.create({ customerId: 'eli', plan: 'prepaid', startsAt: Date.UTC(2025, 0, 15) }))
    for (const customerId of ['dot', 'eli']) {
      const entry: Entry = { kind: 'granted', grant: bought(customerId === 'dot' ? 'credits' : 'balance') }
      await done((servers[0] as Server).store.change({ customerId }, () => ({ result: undefined, entries: [entry] })))
    }
    Object.assign(now.faults, faults)
  }

  /** After the faults stop everything settles: nothing stays reserved, every retry is answered, every period is invoiced once. */
  async function settleDown(): Promise<void> {
    await quiet({ fail: 0, ambiguous: 0, late: 0, slow: 0 })
    while (servers.some(({ isAlive }) => !isAlive)) restart()
    await quiet(now.faults)
    const [server] = servers as [Server]
    for (const operation of operations) {
      if (operation.kind === 'keyed' && (operation.told === 'cut' || operation.told === 'unavailable')) retry(server, operation)
      if (operation.told === 'admitted' && operation.billed === undefined && !operation.sawCrash) answer(operation)
    }
    await quiet(now.faults)
    sweep()
    await quiet(now.faults)
    note(
      [...database.accounts.values()].flatMap(({ reservations }) =>
        [...reservations.values()].map(({ route, customerId }) => `liveness: ${customerId} still holds request ${route}`),
      ),
      0,
    )
    note(disagreements(), 0)
    now.at += 70 * DAY_MS
    const { waiting, held: back } = await done(server.farebox.closePeriods())
    note(
      [...waiting, ...back.map(({ customerId }) => customerId)].map(
        (customerId) => `liveness: the invoice of ${customerId} is not made`,
      ),
      0,
    )
    const again = await done(server.farebox.closePeriods())
    note(
      again.invoices.map(({ number }) => `9: closing again made ${number}`),
      0,
    )
    const audit = await done(server.farebox.verify())
    note(
      audit.differences.map(({ message }) => `verify: ${message}`),
      0,
    )
    note([...brokenInvariants(database), ...brokenGrants(database), ...brokenReplay(database), ...leftOpen(database)], steps)
  }

  function disagreements(): string[] {
    return operations.flatMap(
      (operation) =>
        disagreement(
          operation,
          database.log.filter((event) => operationOf(event) === operation.number),
        ) ?? [],
    )
  }

  /** Lets everything that is under way come to its end. */
  async function quiet(calm: Faults): Promise<void> {
    Object.assign(now.faults, calm)
    let idle = 0
    for (let left = QUIET_WITHIN; left > 0; left -= 1) {
      const isBusy = servers.map(({ isAlive, store }) => isAlive && store.step()).includes(true)
      await turn()
      // What came in during the turn is seen in the next round.
      idle = isBusy ? 0 : idle + 1
      if (idle === 2) return
    }
    note(['liveness: it never gets quiet'], 0)
  }

  async function done<T>(promise: Promise<T>): Promise<T> {
    promise.catch(hear)
    await quiet({ fail: 0, ambiguous: 0, late: 0, slow: 0 })
    return promise
  }
}

/** Something that never expires and pays when the plan's own is used up. */
function bought(unit: Grant['unit']): Grant {
  const nothing = { revoked: DECIMAL_ZERO, used: DECIMAL_ZERO, held: DECIMAL_ZERO }
  const always = { startsAt: 0, expiresAt: null, createdAt: START, reference: null, isClosed: false }
  return { id: 'bought', unit, source: 'pack', priority: 0, granted: decimal('7.5'), ...nothing, ...always }
}

/** Lets every promise that can go on go on. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

function unitsOf(millionths: bigint): string {
  return `${millionths / 1_000_000n}.${String(millionths % 1_000_000n).padStart(6, '0')}`
}
