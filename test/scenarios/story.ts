/** What every story needs: an engine on an empty database, a clock that is moved, and invoices in few words. */

import {
  type Catalog,
  createFarebox,
  type Farebox,
  type FareboxOptions,
  formatMoney,
  formatQuantity,
  type Invoice,
  type InvoiceLine,
  type QuantityInput,
  type Store,
  type TestClock,
  testClock,
} from '@farebox/core'
import { decimal, type Grant } from '@farebox/core/contracts'
import { expect, onTestFinished } from 'vitest'
import type { TestDatabase } from './stores.ts'

export interface StoryOptions extends Partial<FareboxOptions> {
  readonly catalog: Catalog
  /** When it begins, such as `2026-01-31`. Default: the first of January 2026. */
  readonly begins?: string
}

export interface Story {
  readonly farebox: Farebox
  readonly store: Store
  readonly clock: TestClock
  /** Moves the clock to a day, at midnight UTC, or to an instant such as `2026-01-15T12:00Z`. */
  goTo(day: string): void
  /** Subscribes a customer from now on. */
  subscribe(customerId: string, plan: string): Promise<void>
  /** Tracks units at an instant, by default now, and says what became of them: `recorded`, or the code of the refusal. */
  use(customerId: string, value: QuantityInput, feature?: string, at?: string): Promise<string>
  /** What is left of a feature's allowance, of the credits or of the balance, such as `12.5 credits`. */
  left(customerId: string, feature?: string): Promise<string>
  /** Makes the invoices that are due, and tells them. */
  close(): Promise<string[]>
  /** Ends it before the test does: the books have to agree. */
  end(): Promise<void>
  /** The same engine with another catalog (or other options), as the next release has it, and the story goes on with that one. */
  release(catalog: Catalog, changed?: Partial<FareboxOptions>): Promise<Story>
}

/** When the story ends, the books have to agree. */
export function begin(database: () => TestDatabase, options: StoryOptions): Story {
  const { begins = '2026-01-01' } = options
  return storyOn(database(), options, testClock(instantOf(begins)))
}

function storyOn(database: TestDatabase, { begins: _begins, ...options }: StoryOptions, clock: TestClock): Story {
  const store = database.store()
  const farebox = createFarebox({ store, clock, ...options })
  let isEnded = false
  onTestFinished(end)

  async function end(): Promise<void> {
    if (isEnded) return
    isEnded = true
    expect((await farebox.verify()).differences).toEqual([])
    await farebox.stop({ withinMs: 0 })
  }

  return {
    farebox,
    store,
    clock,
    goTo: (day) => clock.set(instantOf(day)),
    async subscribe(customerId, plan) {
      await farebox.subscriptions.create({ customerId, plan })
    },
    async use(customerId, value, feature, at) {
      const when = at === undefined ? {} : { timestamp: instantOf(at) }
      const named = feature ?? farebox.catalog.defaultFeature ?? ''
      const result = await farebox.usage.track({ customerId, feature: named, value, ...when })
      return result.kind === 'refused' ? result.refusal.code : result.kind
    },
    async left(customerId, feature) {
      const usages = await farebox.usage.totals({ customerId })
      const usage = usages.find((one) => feature === undefined || one.feature === feature)
      if (usage === undefined) return 'nothing'
      const { remaining, unit } = usage
      return `${remaining === null ? 'unlimited' : formatQuantity(remaining)}${unit === undefined ? '' : ` ${unit}`}`
    },
    async close() {
      return (await farebox.closePeriods()).invoices.map(told)
    },
    end,
    async release(catalog, changed = {}) {
      isEnded = true
      await farebox.stop()
      return storyOn(database, { ...options, ...changed, catalog }, clock)
    },
  }
}

/** `2026-01-15` is its midnight in UTC. */
export function instantOf(day: string): number {
  return Date.parse(day)
}

/** An invoice in few words, such as `recurring 34.00: Pro 29.00, 150 API calls 5.00`. */
export function told({ type, total, lines }: Invoice): string {
  return `${type} ${formatMoney(total)}: ${lines.map(toldLine).join(', ')}`
}

function toldLine({ description, feature, quantity, amount }: InvoiceLine): string {
  const units = feature === null ? '' : `${formatQuantity(quantity)} `
  return `${units}${description} ${formatMoney(amount)}`
}

export interface GrantInput extends Partial<Omit<Grant, 'granted'>> {
  readonly customerId: string
  readonly id: string
  /** A decimal. */
  readonly granted: string
}

/** Gives a customer credits or money as an operator's tool would: by the store's own entry. */
export async function grant({ store, clock }: Pick<Story, 'store' | 'clock'>, input: GrantInput): Promise<void> {
  const { customerId, granted, ...members } = input
  const now = clock.now()
  const made: Grant = {
    unit: 'credits',
    source: 'pack',
    priority: 0,
    revoked: decimal('0'),
    used: decimal('0'),
    held: decimal('0'),
    startsAt: now,
    expiresAt: null,
    createdAt: now,
    reference: null,
    isClosed: false,
    ...members,
    granted: decimal(granted),
  }
  await store.change({ customerId }, () => ({ result: undefined, entries: [{ kind: 'granted', grant: made }] }))
}
