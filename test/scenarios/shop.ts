/** What the stories about money share: a catalog of prepaid plans, and a provider that can be told to fail. */

import {
  type Catalog,
  type Collected,
  defineCatalog,
  formatMoney,
  type LedgerEntry,
  type Money,
  type PaymentProvider,
} from '@farebox/core'
import type { ChargeInput, ChargeResult } from '@farebox/core/contracts'
import { type Sandbox, sandbox, type SandboxMethodToken } from '@farebox/core/sandbox'
import type { TestDatabase } from './stores.ts'
import { begin, type Story, type StoryOptions } from './story.ts'

export const shop: Catalog = defineCatalog({
  currency: 'USD',
  features: { api_calls: { type: 'metered', name: 'API calls', default: true } },
  plans: {
    credits: {
      name: 'Credits',
      price: '20.00',
      interval: 'month',
      consumption: 'credits',
      credits: 10,
      features: { api_calls: { credits: 1 } },
    },
    prepaid: {
      name: 'Prepaid',
      price: '10.00',
      interval: 'month',
      consumption: 'balance',
      blockOnExhaustion: true,
      features: { api_calls: { price: { model: 'fixed', price: '1' } } },
    },
    open: {
      name: 'Open',
      price: '10.00',
      interval: 'month',
      consumption: 'balance',
      blockOnExhaustion: false,
      features: { api_calls: { price: { model: 'fixed', price: '0.333' } } },
    },
  },
  creditPacks: {
    starter: { name: 'Starter pack', price: '10.00', credits: 100 },
    large: { name: 'Large pack', price: '50.00', credits: 600, priority: 1 },
  },
})

export interface Shop extends Story {
  readonly sandbox: Sandbox
  /** Puts a way to pay on file. */
  pays(customerId: string, method: SandboxMethodToken): Promise<void>
  /** What the sandbox moved, such as `charge 10.00`. */
  moved(): string[]
}

export interface ShopOptions extends Partial<StoryOptions> {
  /** Stands in front of the sandbox. */
  readonly through?: (sandbox: Sandbox) => PaymentProvider
}

export function openShop(database: () => TestDatabase, { through = (provider) => provider, ...options }: ShopOptions = {}): Shop {
  const provider = sandbox()
  const story = begin(database, { catalog: shop, payments: through(provider), ...options })
  return {
    ...story,
    sandbox: provider,
    pays: (customerId, paymentMethod) => story.farebox.payments.attach({ customerId, paymentMethod }),
    moved: () => provider.movements().map(({ kind, amount }) => `${kind} ${formatMoney(amount)}`),
  }
}

/** `paid FB-000001 paid 10.00`, or what else became of it. */
export function outcome({ kind, invoice }: Collected): string {
  return `${kind} ${invoice.number} ${invoice.status} ${formatMoney(invoice.total)}`
}

export function shownMoney(money: Money): string {
  return `${formatMoney(money)} ${money.currency}`
}

/** `usage -1 → 9`, newest first. */
export function ledgerLines(entries: readonly LedgerEntry[]): string[] {
  return entries.map(({ kind, amount, balance }) => `${kind} ${amount} → ${balance}`)
}

/** A provider whose charges are done by what is given. */
export function charging(provider: PaymentProvider, charge: (input: ChargeInput) => Promise<ChargeResult>): PaymentProvider {
  return { ...provider, charge }
}
