/** Invariant 3: what was granted, less what events used of it, is what is left; by exact arithmetic that shares nothing with the engine. */

import type { AccountState, Charge, Decimal, UsageEvent } from '@farebox/core/contracts'
import { boundary, periodIndex } from '../model/reference.ts'
import { PREPAID_PLANS, type PrepaidPlan } from '../model/price-list.ts'
import { type Database, type SimulatedTotal, totalKey } from './database.ts'

/** Names every grant, charge and line that is not what the log says. */
export function brokenGrants(database: Database): string[] {
  return [...database.accounts.values()].flatMap((account) => {
    const { customerId, subscription } = account
    const segment = subscription?.segments[0]
    const plan = PREPAID_PLANS[segment?.plan ?? '']
    if (plan === undefined || segment === undefined) return []
    const events = database.log.filter((event) => event.customerId === customerId)
    return [
      ...events.flatMap((event) => charge(event, plan)),
      ...grants({ database, account, events, plan, anchor: segment.anchor }),
      ...lines(database, customerId),
    ]
  })
}

/** What an event costs is its units at the price of one, and somebody pays all of it. */
function charge({ seq, feature, quantity, charge: made }: UsageEvent, { costs, blocks }: PrepaidPlan): string[] {
  if (made === undefined) return [`3: event ${seq} was charged to nobody`]
  // Millionths times millionths.
  const cost = quantity * (costs[feature] ?? 0n) * 10n ** BigInt(PLACES - 12)
  const paid = sum([...made.parts.map(({ amount }) => amount), made.uncovered, made.waived])
  const broken = cost === exact(made.cost) && paid === cost ? [] : [`3: event ${seq} costs ${cost}, and ${paid} is paid`]
  return blocks && exact(made.uncovered) !== 0n ? [...broken, `3: event ${seq} owes more than a plan that blocks allows`] : broken
}

interface GrantsOf {
  readonly database: Database
  readonly account: AccountState
  readonly events: readonly UsageEvent[]
  readonly plan: PrepaidPlan
  readonly anchor: number
}

function grants({ database, account, events, plan, anchor }: GrantsOf): string[] {
  const { customerId, reservations } = account
  const used = partsOf(events)
  const held = partsOf([...reservations.values()])
  const broken: string[] = []
  for (const record of database.records.values()) {
    if (record.kind !== 'grant' || record.customerId !== customerId) continue
    const { id, isOpen } = record
    const kept = JSON.parse(record.document) as Kept
    const name = `3: grant ${id} of ${customerId}`
    const [granted, spent] = [exactText(kept.granted), exactText(kept.used)]
    const log = used.get(id) ?? 0n
    if (log !== spent) broken.push(`${name}: the log used ${log} of it, it says ${spent}`)
    const open = account.grants.get(id)
    if (isOpen !== (open !== undefined)) broken.push(`${name}: it is open in one place and closed in another`)
    if (open !== undefined && exact(open.held) !== (held.get(id) ?? 0n)) broken.push(`${name}: ${exact(open.held)} is held of it`)
    if (spent + (open === undefined ? 0n : exact(open.held)) > granted) broken.push(`${name}: more than all of it is used`)
    if (kept.source === 'plan') broken.push(...planGrant(name, id, { kept, plan, anchor }))
  }
  for (const { seq, at, charge: made } of events)
    for (const { grant } of made?.parts ?? []) {
      const record = database.records.get(`${customerId} grant ${grant}`)
      const kept = record === undefined ? null : (JSON.parse(record.document) as Kept)
      const isInTime = kept !== null && at >= kept.startsAt && (kept.expiresAt === null || at < kept.expiresAt)
      if (!isInTime) broken.push(`3: event ${seq} is paid by ${grant}, which does not pay at its instant`)
    }
  return broken
}

/** A grant as its record says it. */
interface Kept {
  readonly granted: string
  readonly used: string
  readonly source: string
  readonly startsAt: number
  readonly expiresAt: number | null
}

/** A plan grants once for each month, as much as it says. */
function planGrant(
  name: string,
  id: string,
  { kept, plan, anchor }: { readonly kept: Kept; readonly plan: PrepaidPlan; readonly anchor: number },
): string[] {
  const index = periodIndex(anchor, kept.startsAt)
  const [start, end] = [boundary(anchor, index), boundary(anchor, index + 1)]
  const isRight =
    id === `plan-${start}` &&
    kept.startsAt === start &&
    kept.expiresAt === end &&
    exactText(kept.granted) === plan.granted * 10n ** BigInt(PLACES - 6)
  return isRight ? [] : [`${name}: it is not what the plan grants for its month`]
}

/** What a final invoice charges for a round is what no grant paid of it, rounded with all that came before it. */
function lines(database: Database, customerId: string): string[] {
  const finals = [...database.invoices.values()].filter(
    (invoice) => invoice.customerId === customerId && invoice.status !== 'draft',
  )
  return finals.flatMap(({ id, lines: all }) => {
    const names = new Set(
      all.flatMap(({ feature, period }) => (feature === null ? [] : [totalKey(customerId, feature, period[0])])),
    )
    return [...names].flatMap((key) => {
      const own = all.filter(({ feature, period }) => feature !== null && totalKey(customerId, feature, period[0]) === key)
      const rounds = database.totals.get(key) ?? []
      const place = rounds.findIndex(({ invoiceId }) => invoiceId === id)
      const owed = (some: readonly SimulatedTotal[]): bigint => cents(sum(some.map(({ uncovered }) => uncovered)))
      const expected = owed(rounds.slice(0, place + 1)) - owed(rounds.slice(0, place))
      const found = own.reduce((minor, { amount }) => minor + amount.minor, 0n)
      return found === expected ? [] : [`7: ${id} charges ${found} cents for ${key}, its events owe ${expected}`]
    })
  })
}

/** How much of each grant is paid or held by some charges. */
function partsOf(charged: readonly { readonly charge?: Charge }[]): Map<string, bigint> {
  const parts = new Map<string, bigint>()
  for (const { charge: made } of charged)
    for (const { grant, amount } of made?.parts ?? []) parts.set(grant, (parts.get(grant) ?? 0n) + exact(amount))
  return parts
}

/** More decimal places than any amount has here. */
const PLACES = 30

function exact({ coefficient, scale }: Decimal): bigint {
  return coefficient * 10n ** BigInt(PLACES - scale)
}

function exactText(text: string): bigint {
  const [whole = '', fraction = ''] = text.split('.')
  return BigInt(whole + fraction.padEnd(PLACES, '0'))
}

function sum(amounts: readonly Decimal[]): bigint {
  return amounts.reduce((all, amount) => all + exact(amount), 0n)
}

/** Half up; nothing here is negative. */
function cents(amount: bigint): bigint {
  const cent = 10n ** BigInt(PLACES - 2)
  return (2n * amount + cent) / (2n * cent)
}
