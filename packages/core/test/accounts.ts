/** Accounts to test with: a catalog of plans, subscriptions on them, grants, and what was used in a period. */

import { type AccountState, emptyAccount, type Usage } from '../src/account/account-state.ts'
import type { Customer } from '../src/account/customer.ts'
import { newSubscription } from '../src/account/opening.ts'
import { type CurrentPlan, withPlan, withPrices } from '../src/account/change-segments.ts'
import { type Segment, segmentAt, type SegmentCredit, type Subscription } from '../src/account/subscription.ts'
import type { Catalog } from '../src/catalog/catalog.ts'
import { type CatalogDefinition, defineCatalog } from '../src/catalog/define-catalog.ts'
import type { Plan, PlanDefinition } from '../src/catalog/plan.ts'
import { invariant } from '../src/values/invariant.ts'
import type { Offers } from '../src/moment.ts'
import type { Grant } from '../src/records/grant.ts'
import type { Invoice } from '../src/records/invoice.ts'
import { decimal, DECIMAL_ZERO, formatDecimal } from '../src/values/decimal.ts'
import { formatMoney } from '../src/values/money.ts'
import { parseQuantity } from '../src/values/quantity.ts'

export const JANUARY: number = Date.UTC(2026, 0, 1)
export const FEBRUARY: number = Date.UTC(2026, 1, 1)
export const MARCH: number = Date.UTC(2026, 2, 1)

/** A date, or a time in UTC. */
export function utc(text: string): number {
  return Date.parse(text.includes('T') ? `${text}Z` : `${text}T00:00Z`)
}

/** Sells calls and files by these plans, in dollars. */
export function catalogOf(plans: Readonly<Record<string, PlanDefinition>>, members: Partial<CatalogDefinition> = {}): Catalog {
  return defineCatalog({
    currency: 'USD',
    features: { calls: { type: 'metered', default: true }, files: { type: 'metered' } },
    plans,
    ...members,
  })
}

/** Where the plans of subscriptions to these catalogs are found; nobody taxes. */
export function offersOf(...catalogs: readonly Catalog[]): Offers & { readonly tax: null } {
  const byVersion = new Map(catalogs.map((catalog) => [catalog.version, catalog]))
  return {
    tax: null,
    catalogOf: (version) => {
      const catalog = byVersion.get(version)
      invariant(catalog !== undefined, 'a test has the catalogs that it needs')
      return catalog
    },
  }
}

export function planIn(catalog: Catalog, code: string): Plan {
  const plan = catalog.plans.get(code)
  invariant(plan !== undefined, 'a test has the plans that it needs')
  return plan
}

export interface SubscribedInput {
  readonly startsAt?: number
  readonly timeZone?: string
}

/** A new subscription, of which nothing is billed. */
export function subscribedTo(
  catalog: Catalog,
  code: string,
  { startsAt = JANUARY, timeZone = 'UTC' }: SubscribedInput = {},
): Subscription {
  const { currency, version: catalogVersion } = catalog
  const plan = planIn(catalog, code)
  return newSubscription({
    id: 'sub_1',
    customer: { ...ADA, timeZone },
    plan,
    catalogVersion,
    currency,
    startsAt,
    createdAt: startsAt,
  })
}

const ADA: Customer = { id: 'ada', name: 'Ada', email: null, timeZone: 'UTC', createdAt: 0 }

/** On another plan of its catalog from a day on. */
export function changedTo(subscription: Subscription, day: string, { catalog, plan, credit = null }: ChangedTo): Subscription {
  const at = utc(day)
  const from = planIn(catalog, segmentAt(subscription, at)?.plan ?? '')
  const to = { plan: planIn(catalog, plan), catalogVersion: catalog.version }
  return withPlan({ subscription, at, from, to, credit, used: new Map() })
}

export interface ChangedTo {
  readonly catalog: Catalog
  readonly plan: string
  readonly credit?: SegmentCredit | null
}

/** At the prices of a catalog from a day on, with so many units used before it. */
export function movedTo(
  subscription: Subscription,
  day: string,
  catalog: Catalog,
  used: Readonly<Record<string, string>> = {},
): Subscription {
  const units = new Map(Object.entries(used).map(([feature, text]) => [feature, parseQuantity(text)]))
  return withPrices({ subscription, at: utc(day), used: units, current: currentIn(catalog) })
}

export function currentIn({ plans, version: catalogVersion }: Catalog): CurrentPlan {
  return (code) => {
    const plan = plans.get(code)
    return plan === undefined ? undefined : { plan, catalogVersion }
  }
}

export interface AccountInput {
  readonly usage?: readonly Usage[]
  readonly grants?: readonly Grant[]
}

export function accountWith(subscription: Subscription, { usage = [], grants = [] }: AccountInput = {}): AccountState {
  return {
    ...emptyAccount(subscription.customerId),
    customer: ADA,
    subscription,
    usage: [...usage],
    grants: new Map(grants.map((grant) => [grant.id, grant])),
  }
}

export interface UsedInput extends Partial<Omit<Usage, 'feature' | 'posted'>> {
  readonly periodStart: number
}

/** Units in the log, in one event unless said otherwise. */
export function usedOf(feature: string, units: string, members: UsedInput): Usage {
  const posted = units.startsWith('-') ? -parseQuantity(units.slice(1)) : parseQuantity(units)
  return { feature, posted, reserved: 0n, events: 1, lastSeq: 1, cost: DECIMAL_ZERO, uncovered: DECIMAL_ZERO, ...members }
}

/** A pack of ten credits that never expires, unless said otherwise. */
export function grantOf(id: string, members: Partial<Grant> = {}): Grant {
  return {
    id,
    unit: 'credits',
    source: 'pack',
    priority: 0,
    granted: decimal('10'),
    revoked: DECIMAL_ZERO,
    used: DECIMAL_ZERO,
    held: DECIMAL_ZERO,
    startsAt: 0,
    expiresAt: null,
    createdAt: 0,
    reference: null,
    isClosed: false,
    ...members,
  }
}

/** Amounts by the ids of their parts, as texts. */
export function partsAsText(
  parts: readonly { readonly grant: string; readonly amount: Parameters<typeof formatDecimal>[0] }[],
): Record<string, string> {
  return Object.fromEntries(parts.map(({ grant, amount }) => [grant, formatDecimal(amount)]))
}

/** A segment in short: kind, plan, first and last day; `…` while it goes on. */
export function segmentAsText({ kind, plan, startsAt, endsAt, cut, credit }: Segment): string {
  const day = (at: number): string =>
    new Date(at)
      .toISOString()
      .replace(/T00:00:00.000Z$/, '')
      .replace(/:00.000Z$/, '')
  const marks = [
    cut === undefined ? '' : ` ${cut.kind} ${cut.share.join('/')}`,
    credit === undefined ? '' : ` credit ${credit.rule}`,
  ]
  return `${kind} ${plan} ${day(startsAt)} – ${endsAt === null ? '…' : day(endsAt)}${marks.join('')}`
}

/** An invoice in short: its type, and its lines with their amounts. */
export function invoiceAsText({ type, lines }: Pick<Invoice, 'type' | 'lines'>): string {
  return [type, ...lines.map(({ id, amount }) => `${id} ${formatMoney(amount)}`)].join(', ')
}
