/** Period end, in order: log ═▶ aggregate → rate → invoice. */

import type { AccountState, Entry, Usage } from './account/account-state.ts'
import { endingPeriod, isLateMoment, segmentAt, usagePeriod } from './account/subscription.ts'
import { type Audited, auditUsage, isAudited } from './audit.ts'
import { afterMoment, draftOfMoment, type DraftingParts } from './draft-of-moment.ts'
import type { Change, Store } from './contracts/store.ts'
import { invoiceId } from './invoice/build-invoice.ts'
import { finalize } from './invoice/transition.ts'
import { lateKey, type LatePeriod, type LatePeriods, lateUsage, type Moment, momentOf } from './moment.ts'
import { billedUpTo } from './preview.ts'
import type { Invoice } from './records/invoice.ts'
import type { Decimal } from './values/decimal.ts'
import { invariant } from './values/invariant.ts'
import type { Quantity } from './values/quantity.ts'

/** A total that does not equal its events. */
export interface TotalDifference {
  readonly customerId: string
  readonly feature: string
  readonly periodStart: number
  readonly total: Sums
  readonly log: Sums
}

export interface Sums {
  readonly quantity: Quantity
  readonly events: number
  readonly cost: Decimal
  readonly uncovered: Decimal
}

export interface CloseResult {
  /** Invoices that became final, in the order of their numbers; none of them where `onInvoice` was given. */
  readonly invoices: readonly Invoice[]
  /** How many became final. */
  readonly closed: number
  /** Customers whose draft is within its grace: what comes late is in it, and closing again makes it final. */
  readonly drafts: readonly string[]
  /** Customers whose draft is held back, because a total does not equal its events. */
  readonly held: readonly { readonly customerId: string; readonly differences: readonly TotalDifference[] }[]
  /** Customers with requests in flight in the period: closing again makes their invoice. */
  readonly waiting: readonly string[]
}

export interface CloseParts extends DraftingParts {
  readonly store: Store
  /** Series of the invoice numbers. */
  readonly series: string
  /** How long a draft takes late events before it becomes final, milliseconds. */
  readonly graceMs: number
}

export interface Closing {
  readonly until: number
  readonly now: number
  /** Gets each invoice when it is final. */
  readonly onInvoice?: ((invoice: Invoice) => void) | undefined
}

/** Customers that are closed side by side, so that they share commits. */
const SIDE_BY_SIDE = 256

/** What comes in between an audit and its invoice makes it be read again, so often at most. */
const AUDITS = 5

/** What one customer's closing came to. */
export type Closed =
  | { readonly kind: 'final'; readonly invoice: Invoice }
  | { readonly kind: 'passed' | 'again' | 'drafted' | 'waiting' }
  | { readonly kind: 'held'; readonly differences: readonly TotalDifference[] }

/**
 * Makes the invoice of every billing moment up to `until`, inclusive. Killed at any point and run again it makes each once:
 * a draft is found by its moment, and number, seal and next moment are one change. Moments are closed oldest first.
 */
export async function closePeriods(parts: CloseParts, closing: Closing): Promise<CloseResult> {
  const invoices: Invoice[] = []
  const drafts: string[] = []
  const held: { customerId: string; differences: readonly TotalDifference[] }[] = []
  const waiting: string[] = []
  const left = new Set<string>()
  const tries = new Map<string, number>()
  let closed = 0
  for (;;) {
    const due = await parts.store.claimDue(closing.until, SIDE_BY_SIDE + left.size)
    const customers = due.filter((customerId) => !left.has(customerId))
    if (customers.length === 0) return { invoices, closed, drafts, held, waiting }
    const results = await closeNext(parts, customers, closing)
    for (const [index, result] of results.entries()) {
      const customerId = customers[index] as string
      const isStuck = result.kind === 'again' && countTry(tries, customerId) >= AUDITS
      if (result.kind === 'final') {
        tries.delete(customerId)
        closed += 1
        if (closing.onInvoice === undefined) invoices.push(result.invoice)
        else closing.onInvoice(result.invoice)
      } else if (result.kind !== 'passed' && (result.kind !== 'again' || isStuck)) left.add(customerId)
      if (result.kind === 'drafted') drafts.push(customerId)
      // Events come faster than they are counted: the next turn finds the same draft.
      if (result.kind === 'waiting' || isStuck) waiting.push(customerId)
      if (result.kind === 'held') held.push({ customerId, differences: result.differences })
    }
  }
}

function countTry(tries: Map<string, number>, customerId: string): number {
  const count = (tries.get(customerId) ?? 0) + 1
  tries.set(customerId, count)
  return count
}

/**
 * The next billing moment of some customers, whatever came due. Drafts and numbers are asked for in the order of the customers,
 * so that the same log gives the same invoices on every store.
 */
export async function closeNext(
  parts: CloseParts,
  customers: readonly string[],
  { until, now }: Pick<Closing, 'until' | 'now'>,
): Promise<Closed[]> {
  const drafted = await draftNext(parts, customers, { until, now })
  const audits = await Promise.all(
    drafted.map((one) => (isClosable(one, parts, now) ? auditDraft(parts.store, one) : Promise.resolve(null))),
  )
  return Promise.all(
    drafted.map(async (one, i): Promise<Closed> => {
      if (one.kind !== 'drafted') return one
      const audited = audits[i]
      if (audited === null || audited === undefined) return { kind: 'drafted' }
      if (audited.differences.length > 0) {
        await keepDraft(parts.store, one.draft)
        return { kind: 'held', differences: audited.differences }
      }
      return finalizeDraft(parts, one.draft, { late: one.late, audited, now })
    }),
  )
}

/** Whether a draft is past its grace. */
function isClosable(drafted: Drafted, { graceMs }: CloseParts, now: number): drafted is Extract<Drafted, { kind: 'drafted' }> {
  return drafted.kind === 'drafted' && now >= drafted.draft.issuedAt + graceMs
}

/** A total and its events are read one after the other: a difference that stays is one. */
async function auditDraft(store: Store, { draft, moment }: Extract<Drafted, { kind: 'drafted' }>): Promise<Audited> {
  let audited = await auditUsage(store, draft.customerId, moment.sealed)
  for (let reading = 1; reading < AUDITS && audited.differences.length > 0; reading += 1)
    audited = await auditUsage(store, draft.customerId, moment.sealed)
  return audited
}

/**
 * The invoice that the running period would have if it ended with what was used so far; null when it would have no line. What is due
 * already is billed in thought before it; where nothing is to come after that, it is what is shown.
 */
export async function previewInvoice(parts: CloseParts, customerId: string, now: number): Promise<Invoice | null> {
  const late = await latePeriods(parts.store, customerId)
  return parts.store.change({ customerId }, (found) => {
    const { state, invoices } = billedUpTo(found, now, late, parts)
    const moment = momentOf(state, late, parts)
    const invoice = moment === null ? (invoices.at(-1) ?? null) : draftOfMoment(parts, state, moment)
    return { result: invoice, entries: [] }
  })
}

type Drafted =
  | { readonly kind: 'drafted'; readonly draft: Invoice; readonly moment: Moment; readonly late: LatePeriods }
  | { readonly kind: 'waiting' | 'passed' }

/** Drafts the invoice of each customer's next due moment; a moment without lines is passed over. */
async function draftNext(
  parts: CloseParts,
  customers: readonly string[],
  closing: Pick<Closing, 'until' | 'now'>,
): Promise<Drafted[]> {
  const first = await Promise.all(customers.map((customerId) => draftOne(parts, { ...closing, customerId, late: null })))
  // Final totals never change, so they may be read before the draft is made.
  const late = await Promise.all(
    first.map((drafted, i) => (drafted === 'late' ? latePeriods(parts.store, customers[i] as string) : Promise.resolve(NONE))),
  )
  return Promise.all(
    first.map(async (drafted, i) => {
      if (drafted !== 'late') return drafted
      const again = await draftOne(parts, { ...closing, customerId: customers[i] as string, late: late[i] ?? NONE })
      invariant(again !== 'late', 'late totals are read once')
      return again
    }),
  )
}

interface DraftOne extends Pick<Closing, 'until' | 'now'> {
  readonly customerId: string
  /** Null as long as nobody knows whether something came late. */
  readonly late: LatePeriods | null
}

function draftOne(parts: CloseParts, { customerId, until, now, late }: DraftOne): Promise<Drafted | 'late'> {
  return parts.store.change({ customerId, inOrder: true }, (state): Change<Drafted | 'late'> => {
    const { subscription } = state
    if (subscription === null || subscription.dueAt === null || subscription.dueAt > until)
      return { result: { kind: 'passed' }, entries: [] }
    if (holdsReservations(state)) return { result: { kind: 'waiting' }, entries: [] }
    if (late === null && lateUsage(state).length > 0) return { result: 'late', entries: [] }
    const known = late ?? NONE
    const moment = momentOf(state, known, parts)
    invariant(moment !== null, 'a moment that is due is one')
    const invoice = draftOfMoment(parts, state, moment)
    if (invoice === null) return { result: { kind: 'passed' }, entries: afterMoment(state, moment, null) }
    // One that becomes final in the same breath is written once, with its number.
    const isKept = now < invoice.issuedAt + parts.graceMs
    return {
      result: { kind: 'drafted', draft: invoice, moment, late: known },
      entries: isKept ? [{ kind: 'drafted', invoice }] : [],
    }
  })
}

const NONE: LatePeriods = new Map()

/** A draft that is held back is there to be looked at. */
function keepDraft(store: Store, draft: Invoice): Promise<void> {
  return store.change({ customerId: draft.customerId, inOrder: true }, ({ subscription }) => {
    const isCurrent = subscription !== null && invoiceId(subscription.id, subscription.nextMoment) === draft.id
    return { result: undefined, entries: isCurrent ? [{ kind: 'drafted', invoice: draft }] : [] }
  })
}

/** What final invoices say of the periods that events came to late. */
export async function latePeriods(store: Store, customerId: string): Promise<LatePeriods> {
  const late = await store.change({ customerId }, (state) => ({
    result: lateUsage(state).map((usage) => endOf(state, usage)),
    entries: [],
  }))
  const entries = late.map(async ({ subscriptionId, end, ...period }): Promise<[string, LatePeriod]> => {
    const totals = (await store.totalsOf({ customerId, ...period })).filter(({ invoiceId: holder }) => holder !== null)
    const corrects = totals[0]?.invoiceId ?? (await invoiceOfMoment(store, customerId, { subscriptionId, at: end }))
    return [lateKey(period), { totals, corrects }]
  })
  return new Map(await Promise.all(entries))
}

/** A late period and the billing moment at which it ended. */
function endOf({ subscription }: AccountState, { feature, periodStart }: Usage) {
  const segment = subscription && segmentAt(subscription, periodStart)
  invariant(subscription !== null && segment !== null, 'usage is of a subscription')
  const { end } = usagePeriod(segment, subscription.timeZone, periodStart)
  return { feature, periodStart, end, subscriptionId: subscription.id }
}

/** The invoice that a billing moment made; null where it had nothing to put on one. Asked for features that it has no usage of. */
async function invoiceOfMoment(
  store: Store,
  customerId: string,
  { subscriptionId, at }: { readonly subscriptionId: string; readonly at: number },
): Promise<string | null> {
  let after: string | undefined
  do {
    const page = await store.invoices({ customerId, after })
    const made = page.items.find(
      ({ id, status, issuedAt }) => id.startsWith(`${subscriptionId}-`) && status !== 'draft' && issuedAt === at,
    )
    if (made !== undefined) return made.id
    after = page.next ?? undefined
  } while (after !== undefined)
  return null
}

interface Finalizing {
  readonly late: LatePeriods
  readonly audited: Audited
  readonly now: number
}

/** Makes the draft again, gives it its number, seals its usage and moves the subscription on: one change. */
async function finalizeDraft(parts: CloseParts, draft: Invoice, { late, audited, now }: Finalizing): Promise<Closed> {
  const { store, series } = parts
  const done = await store.change(
    { customerId: draft.customerId, inOrder: true },
    (state): Change<'final' | 'again' | 'passed'> => {
      const { subscription } = state
      // Another process was faster.
      if (subscription === null || invoiceId(subscription.id, subscription.nextMoment) !== draft.id)
        return { result: 'passed', entries: [] }
      const moment = momentOf(state, late, parts)
      // Something came since it was counted.
      if (moment === null || holdsReservations(state) || !isAudited(audited, moment.sealed))
        return { result: 'again', entries: [] }
      const current = draftOfMoment(parts, state, moment)
      invariant(current !== null, 'a draft has lines')
      const invoice = finalize({ ...current, seal: audited.seal }, now)
      const sealed = moment.sealed.map(({ feature, periodStart }) => ({ feature, periodStart }))
      const drafted: Entry[] = state.drafts.has(current.id) ? [] : [{ kind: 'drafted', invoice: current }]
      const finalized: Entry = { kind: 'finalized', invoice, series, sealed }
      return { result: 'final', entries: [...drafted, finalized, ...afterMoment(state, moment, invoice)] }
    },
  )
  if (done !== 'final') return { kind: done }
  const final = await store.invoice(draft.id)
  invariant(final !== null && final.number !== null, 'a final invoice is found by its id and has a number')
  return { kind: 'final', invoice: final }
}

/** Whether a request is still in flight in the period that ends. */
function holdsReservations(state: AccountState): boolean {
  const ended = state.subscription === null ? null : endingPeriod(state.subscription)
  if (ended === null || state.subscription === null || isLateMoment(state.subscription)) return false
  for (const reservation of state.reservations.values()) if (reservation.periodStart === ended.period.start) return true
  return false
}
