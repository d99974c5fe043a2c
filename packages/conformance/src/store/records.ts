/** What the checks write: one customer, one feature and one month unless a check says otherwise. */

import {
  type AccountState,
  add,
  type Charge,
  type ChargePart,
  type Customer,
  decimal,
  DECIMAL_ZERO,
  type Entry,
  type Grant,
  type Invoice,
  type NewUsageEvent,
  type Payment,
  type Reservation,
  type Subscription,
  type UnpricedUsage,
} from '@farebox/core/contracts'

/** Millionths in one unit. */
export const UNIT = 1_000_000n

/** The largest integer of a 64-bit column. */
export const MOST: bigint = 2n ** 63n - 1n

/** First instants of the usage periods that the checks write into. */
export const JANUARY: number = Date.UTC(2026, 0, 1)
export const FEBRUARY: number = Date.UTC(2026, 1, 1)

export const SERIES = 'FB'

/** The catalog version that subscriptions are to. */
export const CATALOG = { version: 'catalog-1', document: '{"currency":"USD"}' }

type Posted = Extract<Entry, { kind: 'posted' }>

/** Whatever is not given is as in every other event of the suite. */
export interface EventChange extends Partial<NewUsageEvent> {
  readonly periodStart?: number
  readonly keyGivenBy?: Posted['keyGivenBy']
}

/** A customer is made by the first change of it. */
export function customerEntry(id: string, change: Partial<Customer> = {}): Entry {
  return { kind: 'customer', customer: { id, name: null, email: null, timeZone: 'UTC', createdAt: JANUARY, ...change } }
}

/** The entry that makes the customer where there is none. */
export function opening(state: AccountState): Entry[] {
  return state.customer === null ? [customerEntry(state.customerId)] : []
}

export function posted(key: string, { periodStart = JANUARY, keyGivenBy = 'farebox', ...change }: EventChange = {}): Posted {
  const event: NewUsageEvent = {
    customerId: 'ada',
    feature: 'api_calls',
    quantity: UNIT,
    at: periodStart + 1,
    key,
    route: '/v1/:id',
    properties: { region: 'eu' },
    ...change,
  }
  return { kind: 'posted', event, periodStart, keyGivenBy }
}

/** An event under a key that its sender gave. */
export function given(key: string, change: EventChange = {}): Posted {
  return posted(key, { ...change, keyGivenBy: 'caller' })
}

export function reservationOf(key: string, change: Partial<Reservation> = {}): Reservation {
  return {
    customerId: 'ada',
    feature: 'api_calls',
    quantity: UNIT,
    key,
    at: JANUARY + 1,
    route: '/v1/:id',
    periodStart: JANUARY,
    ...change,
  }
}

export function reserved(key: string, change: Partial<Reservation> = {}): Entry {
  return { kind: 'reserved', reservation: reservationOf(key, change) }
}

export function released(key: string): Entry {
  return { kind: 'released', key }
}

type Segment = Subscription['segments'][number]

export function segmentOf(change: Partial<Segment> = {}): Segment {
  return {
    kind: 'plan',
    plan: 'pro',
    catalogVersion: CATALOG.version,
    anchor: JANUARY,
    every: { unit: 'month', count: 1 },
    periodsPerInterval: 1,
    startsAt: JANUARY,
    endsAt: null,
    ...change,
  }
}

export function subscriptionOf(id: string, change: Partial<Subscription> = {}): Subscription {
  return {
    id,
    customerId: 'ada',
    currency: 'USD',
    timeZone: 'UTC',
    createdAt: JANUARY,
    segments: [segmentOf()],
    standing: 'good',
    billedUntil: null,
    nextMoment: 0,
    dueAt: JANUARY,
    discounts: [],
    paidBase: null,
    billedInInterval: { minor: 0n, currency: 'USD' },
    ...change,
  }
}

/** A charge in credits: what the parts do not pay of its cost is uncovered. */
export function chargeOf(parts: Readonly<Record<string, string>>, uncovered = '0'): Charge {
  const shares: ChargePart[] = Object.entries(parts).map(([grant, amount]) => ({ grant, amount: decimal(amount) }))
  const cost = shares.reduce((sum, { amount }) => add(sum, amount), decimal(uncovered))
  return { unit: 'credits', cost, parts: shares, uncovered: decimal(uncovered), waived: DECIMAL_ZERO }
}

export function grantOf(id: string, change: Partial<Grant> = {}): Grant {
  return {
    id,
    unit: 'credits',
    source: 'pack',
    priority: 0,
    granted: decimal('100'),
    revoked: DECIMAL_ZERO,
    used: DECIMAL_ZERO,
    held: DECIMAL_ZERO,
    startsAt: JANUARY,
    expiresAt: null,
    createdAt: JANUARY,
    reference: null,
    isClosed: false,
    ...change,
  }
}

export function granted(id: string, change: Partial<Grant> = {}): Entry {
  return { kind: 'granted', grant: grantOf(id, change) }
}

export function paymentOf(id: string, change: Partial<Payment> = {}): Payment {
  return {
    id,
    customerId: 'ada',
    invoiceId: 'i1',
    amount: { minor: 2_900n, currency: 'USD' },
    status: 'open',
    isAutomatic: false,
    awaits: 'provider',
    provider: 'test',
    paymentMethod: null,
    reference: null,
    declineCode: null,
    refunded: { minor: 0n, currency: 'USD' },
    refunds: [],
    asked: null,
    createdAt: JANUARY,
    endedAt: null,
    ...change,
  }
}

export function paid(id: string, change: Partial<Payment> = {}): Entry {
  return { kind: 'payment', payment: paymentOf(id, change) }
}

export function unpricedOf(id: string, change: Partial<UnpricedUsage> = {}): UnpricedUsage {
  return {
    id,
    customerId: 'ada',
    feature: 'api_calls',
    quantity: UNIT,
    at: JANUARY + 1,
    route: null,
    properties: null,
    usage: { model: 'new-model', inputTokens: 1, outputTokens: 2, cacheReadTokens: 0, cacheWriteTokens: 0 },
    reason: 'No price list names it',
    isOpen: true,
    ...change,
  }
}

export function unpriced(id: string, change: Partial<UnpricedUsage> = {}): Entry {
  return { kind: 'unpriced', usage: unpricedOf(id, change) }
}

export function invoiceOf(id: string, change: Partial<Invoice> = {}): Invoice {
  const { customerId = 'ada', total = { minor: 2_900n, currency: 'USD' } } = change
  const period = [JANUARY, FEBRUARY] as const
  const price = { quantity: UNIT, included: 0n, billable: UNIT, unitPrice: '29.00', per: UNIT, amount: total }
  return {
    id,
    number: null,
    status: 'draft',
    type: 'recurring',
    customerId,
    subscriptionId: `sub-${customerId}`,
    currency: total.currency,
    period,
    issuedAt: FEBRUARY,
    finalizedAt: null,
    lines: [{ id: 'base', type: 'plan_base', description: 'Pro', plan: 'pro', feature: null, period, ...price }],
    subtotal: total,
    discount: { minor: 0n, currency: total.currency },
    tax: { minor: 0n, currency: total.currency },
    total,
    creditApplied: { minor: 0n, currency: total.currency },
    corrects: null,
    seal: null,
    ...change,
  }
}

export function drafted(id: string, change: Partial<Invoice> = {}): Entry {
  return { kind: 'drafted', invoice: invoiceOf(id, change) }
}

export interface FinalChange {
  readonly invoice?: Partial<Invoice>
  readonly series?: string
  /** The features whose January the invoice holds. Default: none. */
  readonly sealed?: readonly string[]
}

/** What makes a draft final. */
export function finalized(id: string, { invoice = {}, series = SERIES, sealed = [] }: FinalChange = {}): Entry {
  const periods = sealed.map((feature) => ({ feature, periodStart: JANUARY }))
  return {
    kind: 'finalized',
    invoice: invoiceOf(id, { status: 'open', finalizedAt: FEBRUARY, ...invoice }),
    series,
    sealed: periods,
  }
}
