/** The reference model: what PRODUCT.md says, in arrays and bigints. It shares no code with the engine. */

import { DEFAULT_PLAN, MODEL_PLANS, type ModelPlan, type ModelPrice } from './price-list.ts'

export interface ModelEvent {
  readonly feature: string
  readonly quantity: bigint
  readonly at: number
  /** Null where Farebox makes the key. */
  readonly key: string | null
  readonly route: string | null
  /** Key of the event that it takes units back of. */
  readonly corrects?: string
}

export interface ModelReservation {
  readonly customer: string
  readonly feature: string
  readonly quantity: bigint
  readonly at: number
  readonly route: string
  readonly server: number
}

/** One feature (or the base price: `feature` null) of an invoice, or what came late to it in an earlier period. */
export interface ModelLine {
  readonly feature: string | null
  readonly isLate: boolean
  readonly quantity: bigint
  readonly included: bigint
  readonly billable: bigint
  readonly cents: bigint
  readonly period: readonly [number, number]
}

export interface ModelInvoice {
  readonly customer: string
  readonly moment: number
  readonly type: 'recurring' | 'overage' | 'adjustment'
  readonly lines: readonly ModelLine[]
  readonly cents: bigint
}

export interface ModelUsage {
  readonly feature: string
  readonly posted: bigint
  readonly reserved: bigint
  readonly remaining: bigint | null
}

export type ModelAnswer =
  | 'recorded'
  | 'repeat'
  | 'conflict'
  | 'admitted'
  | 'no_subscription'
  | 'feature_not_in_plan'
  | 'allowance_exhausted'
  | 'period_invoiced'
  | 'corrected'
  | 'not_found'
  | 'invalid_quantity'

interface Account {
  plan: string
  startsAt: number
  nextMoment: number
  readonly events: ModelEvent[]
  /** How many events of each feature are on an invoice, by period. */
  readonly invoiced: Map<string, number>
}

/** The whole world of the model. */
export class Model {
  readonly accounts: Map<string, Account> = new Map()
  /** Pending, by a number of the test's own. */
  readonly reservations: Map<number, ModelReservation> = new Map()
  /** The log in its order. */
  readonly log: { readonly customer: string; readonly event: ModelEvent }[] = []
  readonly invoices: ModelInvoice[] = []

  subscribe(customer: string, plan: string, startsAt: number): void {
    this.accounts.set(customer, { plan, startsAt, nextMoment: 0, events: [], invoiced: new Map() })
  }

  admit(claim: ModelReservation): ModelAnswer {
    const account = this.#seen(claim.customer, claim.at)
    return this.#allows(account, claim)
  }

  /** `billed` null voids. A plan that blocks posts no more than it allows. */
  settle(id: number, billed: bigint | null): void {
    const held = this.reservations.get(id) as ModelReservation
    this.reservations.delete(id)
    if (billed === null) return
    const usage = this.usage(held.customer, held.at).find(({ feature }) => feature === held.feature) as ModelUsage
    const { overage } = this.#terms(held.customer, held.feature)
    const most = overage.kind === 'block' && usage.remaining !== null ? usage.remaining : billed
    this.#post(held.customer, { ...held, key: null, quantity: billed < most ? billed : most })
  }

  /** The process died: what it held is charged as reserved. */
  expire(server: number): void {
    for (const [id, held] of this.reservations) if (held.server === server) this.settle(id, held.quantity)
  }

  track(customer: string, event: ModelEvent, isInstantGiven: boolean): ModelAnswer {
    const known = event.key === null ? undefined : this.accounts.get(customer)?.events.find(({ key }) => key === event.key)
    if (known !== undefined) {
      const isSame =
        known.feature === event.feature && known.quantity === event.quantity && (!isInstantGiven || known.at === event.at)
      return isSame ? 'repeat' : 'conflict'
    }
    const account = this.#seen(customer, event.at)
    const answer = this.#allows(account, { customer, ...event })
    const isKnown = answer === 'admitted' || answer === 'allowance_exhausted'
    const isLate = isKnown && indexOf(account, event.at) + 1 < account.nextMoment
    // What stops at a limit stopped at it then; what is priced is priced on the next invoice.
    if (isLate && this.#terms(customer, event.feature).overage.kind === 'block') return 'period_invoiced'
    if (answer !== 'admitted') return answer
    this.#post(customer, event)
    return 'recorded'
  }

  /** Of an event under a caller's key: what it should have been. It belongs to the instant of its original, and is made once. */
  correct(customer: string, key: string, quantity: bigint): ModelAnswer {
    const events = this.accounts.get(customer)?.events ?? []
    const original = events.find((event) => event.key === key)
    if (original === undefined) return 'not_found'
    if (quantity > original.quantity) return 'invalid_quantity'
    const known = events.find(({ corrects }) => corrects === key)
    const back = quantity - original.quantity
    if (known !== undefined) return known.quantity === back ? 'repeat' : 'conflict'
    this.#post(customer, { ...original, quantity: back, key: null, corrects: key })
    return 'corrected'
  }

  /** Usage of the period that holds an instant, feature by feature of the plan. */
  usage(customer: string, at: number): ModelUsage[] {
    const account = this.accounts.get(customer)
    if (account === undefined || at < account.startsAt) return []
    const index = indexOf(account, at)
    return Object.entries(planOf(account).features).map(([feature, { included }]) => {
      const isIn = (one: { feature: string; at: number }): boolean =>
        one.feature === feature && indexOf(account, one.at) === index
      const posted = sum(account.events.filter(isIn))
      const reserved = sum([...this.reservations.values()].filter((held) => held.customer === customer && isIn(held)))
      const left = included === null ? null : included - posted - reserved
      return { feature, posted, reserved, remaining: left === null || left > 0n ? left : 0n }
    })
  }

  /** The invoice of the running period: everything that is due by `now` is taken for invoiced. */
  preview(customer: string, now: number): ModelInvoice | null {
    const account = this.accounts.get(customer)
    if (account === undefined) return null
    const then = { ...account, invoiced: new Map(account.invoiced) }
    while (boundaryOf(then, then.nextMoment) <= now) passMoment(then)
    return this.#invoiceOf(customer, then)
  }

  /** Makes the invoice of each moment up to `now`. Gives the customers that wait for requests in flight. */
  close(now: number): string[] {
    const waiting: string[] = []
    for (const [customer, account] of this.accounts) {
      while (boundaryOf(account, account.nextMoment) <= now) {
        if (this.#holds(customer, account, account.nextMoment - 1)) {
          waiting.push(customer)
          break
        }
        const invoice = this.#invoiceOf(customer, account)
        if (invoice !== null) this.invoices.push(invoice)
        passMoment(account)
      }
    }
    return waiting
  }

  #seen(customer: string, at: number): Account {
    const day = Math.floor(at / 86_400_000) * 86_400_000
    if (!this.accounts.has(customer)) this.subscribe(customer, DEFAULT_PLAN, day)
    return this.accounts.get(customer) as Account
  }

  #allows(account: Account, claim: { customer: string; feature: string; quantity: bigint; at: number }): ModelAnswer {
    if (claim.at < account.startsAt) return 'no_subscription'
    const terms = planOf(account).features[claim.feature]
    if (terms === undefined) return 'feature_not_in_plan'
    const usage = this.usage(claim.customer, claim.at).find(({ feature }) => feature === claim.feature)
    const isOver = usage?.remaining !== undefined && usage.remaining !== null && claim.quantity > usage.remaining
    return terms.overage.kind === 'block' && isOver ? 'allowance_exhausted' : 'admitted'
  }

  #post(customer: string, { feature, quantity, at, key, route, corrects }: ModelEvent): void {
    const event = { feature, quantity, at, key, route, ...(corrects === undefined ? {} : { corrects }) }
    this.accounts.get(customer)?.events.push(event)
    this.log.push({ customer, event })
  }

  #terms(customer: string, feature: string): { included: bigint | null; overage: ModelPrice } {
    const terms = planOf(this.accounts.get(customer) as Account).features[feature]
    if (terms === undefined) throw new Error(`${customer} has no ${feature}`)
    return terms
  }

  #holds(customer: string, account: Account, index: number): boolean {
    return [...this.reservations.values()].some((held) => held.customer === customer && indexOf(account, held.at) === index)
  }

  #invoiceOf(customer: string, account: Account): ModelInvoice | null {
    const { nextMoment: moment } = account
    const plan = planOf(account)
    const lines: ModelLine[] = []
    const isRenewal = moment % plan.periods === 0 && plan.price > 0n
    if (isRenewal) {
      const period = [boundaryOf(account, moment), boundaryOf(account, moment + plan.periods)] as const
      lines.push({
        feature: null,
        isLate: false,
        quantity: 1_000_000n,
        included: 0n,
        billable: 1_000_000n,
        cents: plan.price / 10_000n,
        period,
      })
    }
    if (moment > 0) lines.push(...usageLinesOf({ plan, account, index: moment - 1 }))
    for (let index = 0; index < moment - 1; index += 1) lines.push(...lateLinesOf({ plan, account, index }))
    if (lines.length === 0) return null
    const isAdjustment = lines.every(({ isLate }) => isLate)
    return {
      customer,
      moment,
      type: isRenewal ? 'recurring' : isAdjustment ? 'adjustment' : 'overage',
      lines,
      cents: lines.reduce((all, { cents }) => all + cents, 0n),
    }
  }
}

/** Everything up to the next moment is invoiced. */
function passMoment(account: Account): void {
  for (const { feature, at } of account.events) {
    const index = indexOf(account, at)
    if (index < account.nextMoment) account.invoiced.set(`${feature} ${index}`, eventsOf(account, feature, index).length)
  }
  account.nextMoment += 1
}

function usageLinesOf({ plan, account, index }: { plan: ModelPlan; account: Account; index: number }): ModelLine[] {
  const period = [boundaryOf(account, index), boundaryOf(account, index + 1)] as const
  return Object.entries(plan.features).flatMap(([feature, { included, overage }]) => {
    const events = eventsOf(account, feature, index)
    const quantity = sum(events)
    const covered = included === null || quantity < included ? quantity : included
    // The fee of a first tier is due without usage too.
    if (events.length === 0 && priceOf(overage, 0n) === 0n) return []
    return [
      {
        feature,
        isLate: false,
        quantity,
        included: covered,
        billable: quantity - covered,
        cents: priceOf(overage, quantity - covered),
        period,
      },
    ]
  })
}

/** What a period's lines would have come to with what came late, less what they came to. */
function lateLinesOf({ plan, account, index }: { plan: ModelPlan; account: Account; index: number }): ModelLine[] {
  const period = [boundaryOf(account, index), boundaryOf(account, index + 1)] as const
  return Object.entries(plan.features).flatMap(([feature, { included, overage }]) => {
    const events = eventsOf(account, feature, index)
    const before = events.slice(0, account.invoiced.get(`${feature} ${index}`) ?? 0)
    if (before.length === events.length) return []
    const beyond = (quantity: bigint): bigint => (included === null || quantity < included ? 0n : quantity - included)
    const late = sum(events) - sum(before)
    const cents = priceOf(overage, beyond(sum(events))) - priceOf(overage, beyond(sum(before)))
    return [{ feature, isLate: true, quantity: late, included: 0n, billable: late, cents, period }]
  })
}

/** A period's events of a feature in the order in which they were written. */
function eventsOf(account: Account, feature: string, index: number): ModelEvent[] {
  return account.events.filter((event) => event.feature === feature && indexOf(account, event.at) === index)
}

/** The price of so many units beyond the allowance, in cents; each tier is rounded once, half up. */
export function priceOf(price: ModelPrice, billable: bigint): bigint {
  switch (price.kind) {
    case 'block':
      return 0n
    case 'per_unit':
      return toCents(billable * price.price)
    case 'package':
      return toCents(((billable + price.size - 1n) / price.size) * price.price * 1_000_000n)
    case 'flat':
      return billable > 0n ? toCents(price.price * 1_000_000n) : 0n
    case 'volume': {
      const tier = price.tiers.find(({ upTo }) => upTo === null || billable <= upTo)
      return tier === undefined ? 0n : toCents(tier.flat * 1_000_000n) + toCents(billable * tier.price)
    }
    case 'graduated': {
      let [all, from] = [0n, 0n]
      for (const [index, { upTo, price: unit, flat }] of price.tiers.entries()) {
        if (index > 0 && billable <= from) break
        const end = upTo === null || billable < upTo ? billable : upTo
        all += toCents(flat * 1_000_000n) + toCents((end - from) * unit)
        from = end
      }
      return all
    }
  }
}

/** The n-th month counted from the anchor, in UTC: 31 January → 28 February → 31 March. */
export function boundary(anchor: number, n: number): number {
  const from = new Date(anchor)
  const [year, month] = [from.getUTCFullYear(), from.getUTCMonth() + n]
  const lastDay = new Date(Date.UTC(year, month + 1, 0)).getUTCDate()
  const midnight = Date.UTC(from.getUTCFullYear(), from.getUTCMonth(), from.getUTCDate())
  return Date.UTC(year, month, Math.min(from.getUTCDate(), lastDay)) + (anchor - midnight)
}

/** Number of the month, counted from the anchor, that holds an instant. [start, end) */
export function periodIndex(anchor: number, at: number): number {
  let n = Math.floor((at - anchor) / (31 * 86_400_000)) - 1
  while (boundary(anchor, n + 1) <= at) n += 1
  return n
}

const WEEK_MS = 7 * 86_400_000

/** The n-th boundary of an account's usage periods. Weeks in UTC have no clock changes. */
function boundaryOf(account: Account, n: number): number {
  const { startsAt } = account
  return planOf(account).every === 'week' ? startsAt + n * WEEK_MS : boundary(startsAt, n)
}

function indexOf(account: Account, at: number): number {
  const { startsAt } = account
  return planOf(account).every === 'week' ? Math.floor((at - startsAt) / WEEK_MS) : periodIndex(startsAt, at)
}

function planOf({ plan }: Account): ModelPlan {
  return MODEL_PLANS[plan] as ModelPlan
}

function sum(parts: readonly { readonly quantity: bigint }[]): bigint {
  return parts.reduce((all, { quantity }) => all + quantity, 0n)
}

/** From millionths of a main unit times millionths of a unit, half up. */
function toCents(exact: bigint): bigint {
  return (exact + 5_000_000_000n) / 10_000_000_000n
}
