/** The invariants of the design, checked on what is durable by code that shares nothing with the engine. */

import {
  type AccountState,
  applyEntry,
  emptyAccount,
  type Invoice,
  type Subscription,
  type UsageEvent,
} from '@farebox/core/contracts'
import { boundary, periodIndex, priceOf } from '../model/reference.ts'
import { MODEL_PLANS, type ModelTerms } from '../model/price-list.ts'
import { type Database, type SimulatedTotal, totalKey } from './database.ts'

/** Names everything that is broken, each with the invariant's number. */
export function brokenInvariants(database: Database): string[] {
  const broken: string[] = []
  const counted = countedFrom(database)
  for (const account of database.accounts.values()) {
    broken.push(...totals(database, account, counted), ...limits(account, counted), ...held(account))
  }
  const finals = [...database.invoices.values()].filter(({ status }) => status !== 'draft')
  broken.push(...sealed(database, finals), ...finals.flatMap((invoice) => amounts(database, invoice)), ...numbers(finals))
  return broken
}

/** 8: an account that is built again from all that was ever written is the account that is there. */
export function brokenReplay(database: Database): string[] {
  const broken: string[] = []
  for (const [customerId, journal] of database.journal) {
    const state = emptyAccount(customerId)
    for (const { entry, seq } of journal) applyEntry(state, entry, seq)
    if (shape(state) !== shape(database.accounts.get(customerId) as AccountState))
      broken.push(`8: the account of ${customerId} is not what its entries make`)
  }
  return broken
}

type Counted = ReadonlyMap<string, { quantity: bigint; events: number }>

/** Units and events of the log, by customer, feature and period; the periods are counted by our own calendar. */
function countedFrom(database: Database): Counted {
  const counted = new Map<string, { quantity: bigint; events: number }>()
  for (const event of database.log) {
    const key = totalKey(event.customerId, event.feature, periodStartOf(database, event))
    const total = counted.get(key) ?? { quantity: 0n, events: 0 }
    counted.set(key, { quantity: total.quantity + event.quantity, events: total.events + 1 })
  }
  return counted
}

/** 1: the sum of the posted events is the sum of the totals. */
function totals(database: Database, account: AccountState, counted: Counted): string[] {
  const { customerId } = account
  const kept = new Map<string, { quantity: bigint; events: number }>()
  for (const { feature, periodStart, posted, events } of account.usage)
    if (events > 0) kept.set(totalKey(customerId, feature, periodStart), { quantity: posted, events })
  for (const [key, rounds] of database.totals) {
    const sealedRounds = rounds.filter((total) => total.customerId === customerId && total.invoiceId !== null)
    for (const { quantity, events } of sealedRounds) {
      const others = kept.get(key) ?? { quantity: 0n, events: 0 }
      kept.set(key, { quantity: others.quantity + quantity, events: others.events + events })
    }
  }
  const own = [...counted].filter(([key]) => key.startsWith(`${customerId} `))
  const differs = own.filter(
    ([key, { quantity, events }]) => kept.get(key)?.quantity !== quantity || kept.get(key)?.events !== events,
  )
  return [
    ...differs.map(([key, { quantity }]) => `1: the log holds ${quantity} of ${key}, the total says ${kept.get(key)?.quantity}`),
    ...(own.length === kept.size ? [] : [`1: ${customerId} has ${kept.size} totals for ${own.length} in the log`]),
  ]
}

/** 2: used and reserved units stay within a limit that blocks, counted from the log and the reservations themselves. */
function limits({ customerId, subscription, reservations }: AccountState, counted: Counted): string[] {
  if (subscription === null) return []
  const used = new Map(
    [...counted].filter(([key]) => key.startsWith(`${customerId} `)).map(([key, { quantity }]) => [key, quantity]),
  )
  for (const { feature, at, quantity } of reservations.values()) {
    const key = totalKey(customerId, feature, boundary(anchorOf(subscription), periodIndex(anchorOf(subscription), at)))
    used.set(key, (used.get(key) ?? 0n) + quantity)
  }
  return [...used].flatMap(([key, quantity]) => {
    const terms = termsOf(planOf(subscription), key.split(' ')[1] as string)
    const limit = terms?.overage.kind === 'block' ? terms.included : null
    return limit !== null && limit !== undefined && quantity > limit
      ? [`2: ${quantity} used and reserved of ${key}, the limit is ${limit}`]
      : []
  })
}

/** 2: what is held is the sum of the reservations that hold it. */
function held({ customerId, usage, reservations }: AccountState): string[] {
  const sums = new Map<string, bigint>()
  for (const { feature, periodStart, quantity } of reservations.values()) {
    const key = totalKey(customerId, feature, periodStart)
    sums.set(key, (sums.get(key) ?? 0n) + quantity)
  }
  const wrong = usage.filter(
    ({ feature, periodStart, reserved }) => reserved !== (sums.get(totalKey(customerId, feature, periodStart)) ?? 0n),
  )
  return wrong.map(
    ({ feature, reserved }) => `2: ${customerId} has ${reserved} ${feature} reserved, which is not the sum of its reservations`,
  )
}

/** 4: each event is in exactly one final invoice or in an open round; what came late is on a later invoice than its period's own. */
function sealed(database: Database, finals: readonly Invoice[]): string[] {
  const holders = new Map<string, Invoice[]>()
  for (const invoice of finals) {
    const keys = invoice.lines.flatMap(({ feature, period }) =>
      feature === null ? [] : [totalKey(invoice.customerId, feature, period[0])],
    )
    for (const key of new Set(keys)) holders.set(key, [...(holders.get(key) ?? []), invoice])
  }
  const broken: string[] = []
  for (const [key, rounds] of database.totals) {
    const ids = rounds.flatMap(({ invoiceId }) => invoiceId ?? [])
    const found = (holders.get(key) ?? []).filter((invoice) => ids.includes(invoice.id) || !isFee(invoice, key))
    if (ids.join() !== found.map(({ id }) => id).join()) broken.push(`4: ${key} is held by ${ids.join()}, and on ${found.length}`)
    if (rounds.slice(0, -1).some(({ invoiceId }) => invoiceId === null)) broken.push(`4: ${key} has two open rounds`)
    if (ids.length > 0 && !isClosed(database, rounds[0])) broken.push(`4: ${key} is invoiced before its period ends`)
  }
  for (const [key, invoices] of holders) {
    if (!database.totals.has(key) && invoices.some((invoice) => !isFee(invoice, key)))
      broken.push(`4: ${key} is billed without events`)
  }
  return broken
}

/** Whether what an invoice says of a feature and period is a fee that is due without usage. */
function isFee({ customerId, lines, period }: Invoice, key: string): boolean {
  const own = lines.filter(({ feature, period: of }) => feature !== null && totalKey(customerId, feature, of[0]) === key)
  return own.every(({ type, quantity, period: of }) => type === 'feature_usage' && quantity === 0n && of[0] === period[0])
}

function isClosed(database: Database, total: SimulatedTotal | undefined): boolean {
  const subscription = total === undefined ? null : database.accounts.get(total.customerId)?.subscription
  if (total === undefined || subscription === null || subscription === undefined) return false
  return periodIndex(anchorOf(subscription), total.periodStart) + 1 < subscription.nextMoment
}

/** 4, when everything that is due was closed: nothing of a closed period waits for an invoice. */
export function leftOpen(database: Database): string[] {
  return [...database.totals].flatMap(([key, rounds]) => {
    const last = rounds.at(-1)
    const isLeft = last !== undefined && last.invoiceId === null && last.events > 0 && isClosed(database, last)
    return isLeft ? [`4: ${last.events} events of ${key} are on no invoice`] : []
  })
}

/** 5 and 7: the lines add up to the total, and each round of a feature costs what its events cost with those before, less what those did. */
function amounts(database: Database, { id, customerId, lines, subtotal, total }: Invoice): string[] {
  const broken: string[] = []
  if (lines.reduce((all, { amount }) => all + amount.minor, 0n) !== subtotal.minor || subtotal.minor !== total.minor)
    broken.push(`5: the lines of ${id} are not its total`)
  const plan = planOf(database.accounts.get(customerId)?.subscription)
  const keys = new Set(lines.flatMap(({ feature, period }) => (feature === null ? [] : [`${feature} ${period[0]}`])))
  for (const name of keys) {
    const [code = '', start] = name.split(' ')
    const terms = termsOf(plan, code)
    // What is paid by grants is counted in grants.ts.
    if (terms === undefined) continue
    const own = lines.filter(({ feature, period }) => feature === code && String(period[0]) === start)
    const rounds = database.totals.get(totalKey(customerId, code, Number(start))) ?? []
    const place = rounds.findIndex(({ invoiceId }) => invoiceId === id)
    const [before, after] = [unitsOf(rounds.slice(0, Math.max(place, 0))), unitsOf(rounds.slice(0, place + 1))]
    const isLate = own.some(({ type }) => type === 'adjustment')
    const price = costIn(terms, after) - (isLate ? costIn(terms, before) : 0n)
    if (own.reduce((all, { amount }) => all + amount.minor, 0n) !== price)
      broken.push(`7: ${id} charges ${code} otherwise than ${after} units after ${before} cost`)
  }
  return broken
}

function unitsOf(rounds: readonly SimulatedTotal[]): bigint {
  return rounds.reduce((all, { quantity }) => all + quantity, 0n)
}

function costIn({ included, overage }: ModelTerms, used: bigint): bigint {
  return priceOf(overage, included === null || used < included ? 0n : used - included)
}

/** 6: invoice numbers are 1 to n. */
function numbers(finals: readonly Invoice[]): string[] {
  const found = finals.map(({ number }) => Number(number?.slice(3))).toSorted((a, b) => a - b)
  return found.every((number, index) => number === index + 1) ? [] : [`6: invoice numbers are ${found.join(', ')}`]
}

function periodStartOf(database: Database, { customerId, at }: UsageEvent): number {
  const anchor = anchorOf(database.accounts.get(customerId)?.subscription)
  return boundary(anchor, periodIndex(anchor, at))
}

/** Nobody changes plans here, so a subscription is one segment. */
function anchorOf(subscription: Subscription | null | undefined): number {
  return subscription?.segments[0]?.anchor ?? 0
}

function planOf(subscription: Subscription | null | undefined): string {
  return subscription?.segments[0]?.plan ?? ''
}

function termsOf(plan: string, feature: string): ModelTerms | undefined {
  return MODEL_PLANS[plan]?.features[feature]
}

function shape(state: AccountState): string {
  const usage = state.usage
    .filter(({ events, reserved }) => events > 0 || reserved > 0n)
    .toSorted((a, b) => a.periodStart - b.periodStart || (a.feature < b.feature ? -1 : 1))
  const kept = [
    state.customer,
    state.subscription,
    usage,
    [...state.reservations.keys()].toSorted(),
    [...state.drafts.keys()].toSorted(),
  ]
  return JSON.stringify(kept, (_name, value: unknown) => (typeof value === 'bigint' ? String(value) : value))
}
