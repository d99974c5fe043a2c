/** A catalog with a plan of every kind in two currencies, one that sells AI models, and their price list. */

import { defineCatalog } from '../../src/catalog/define-catalog.ts'
import type { ModelPrices, ModelUsage, TokenClass } from '../../src/contracts/model-prices.ts'
import { decimal } from '../../src/values/decimal.ts'

const calls = { included: 100, overage: { model: 'per_unit', price: { USD: '0.10', EUR: '0.09' } } } as const

export const shop = defineCatalog({
  currency: 'USD',
  currencies: ['EUR'],
  features: {
    api_calls: { type: 'metered', name: 'API calls', default: true },
    chat: { type: 'metered', name: 'Chat', unit: 'answer' },
    sso: { type: 'boolean', name: 'Single sign-on' },
  },
  plans: {
    free: {
      name: 'Free',
      price: { USD: '0', EUR: '0' },
      interval: 'month',
      default: true,
      features: { api_calls: { included: 10 } },
    },
    weekly: { price: { USD: '9.00', EUR: '8.00' }, interval: 'week', features: { api_calls: calls } },
    pro: {
      name: 'Pro',
      price: { USD: '30.00', EUR: '28.00' },
      interval: 'month',
      spendLimit: { USD: '500', EUR: '450' },
      features: { api_calls: calls, sso: true },
    },
    max: { name: 'Max', price: { USD: '90.00', EUR: '80.00' }, interval: 'month', features: { api_calls: calls, sso: true } },
    quarterly: { price: { USD: '80.00', EUR: '70.00' }, interval: 'quarter', features: { api_calls: calls } },
    yearly: { price: { USD: '300.00', EUR: '280.00' }, interval: 'year', features: { api_calls: calls } },
    lifetime: { price: { USD: '999.00', EUR: '900.00' }, interval: 'one_time', features: { api_calls: calls } },
    trial: { price: { USD: '20.00', EUR: '18.00' }, interval: 'month', trialDays: 14, features: { api_calls: calls } },
    credits: {
      name: 'Credits',
      price: { USD: '10.00', EUR: '9.00' },
      interval: 'month',
      consumption: 'credits',
      credits: 50,
      features: { api_calls: { credits: 2 } },
    },
    prepaid: {
      name: 'Prepaid',
      price: { USD: '5.00', EUR: '5.00' },
      interval: 'month',
      consumption: 'balance',
      blockOnExhaustion: true,
      features: {
        api_calls: { price: { model: 'fixed', price: { USD: '0.01', EUR: '0.01' } } },
      },
    },
  },
  creditPacks: { small: { name: 'Small pack', price: { USD: '5.00', EUR: '4.50' }, credits: 100 } },
  coupons: {
    welcome: { name: 'Welcome', percent: '50', cycles: 1 },
    for_max: { percent: '10', plans: ['max'] },
    only_one: { percent: '10', maxRedemptions: 1 },
  },
})

/** What a model's tokens cost comes in one currency. */
export const parrotShop = defineCatalog({
  currency: 'USD',
  features: { api_calls: { type: 'metered', default: true }, chat: { type: 'metered', name: 'Chat', unit: 'answer' } },
  plans: {
    prepaid: {
      name: 'Prepaid',
      price: '5.00',
      interval: 'month',
      consumption: 'balance',
      blockOnExhaustion: true,
      features: { api_calls: { price: { model: 'fixed', price: '0.01' } }, chat: { price: { model: 'ai_model', margin: '20' } } },
    },
    overdraft: {
      name: 'Overdraft',
      price: '1.00',
      interval: 'month',
      consumption: 'balance',
      features: { api_calls: { price: { model: 'fixed', price: '0.01' } }, chat: { price: { model: 'ai_model', margin: '20' } } },
    },
    credits: {
      name: 'Credits',
      price: '10.00',
      interval: 'month',
      consumption: 'credits',
      credits: 50,
      features: { api_calls: { credits: 2 } },
    },
    metered: {
      name: 'Metered',
      price: '10.00',
      interval: 'month',
      features: {
        api_calls: { included: 1, overage: { model: 'graduated', tiers: [{ upTo: 2, price: '0.10' }, { price: '0.05' }] } },
        chat: { included: 100, overage: { model: 'per_unit', price: '0.01' } },
      },
    },
  },
})

/** Dollars for a million tokens that went in, and for one that came out. */
const PRICES: Readonly<Record<string, readonly [input: string, output: string]>> = {
  'parrot-1': ['2', '10'],
  'parrot-1-mini': ['0.2', '1'],
}

/** Models are priced from their names on; `later-1` has a price once `release` was called. */
export function parrotPrices(): ModelPrices & { release(): void } {
  let isReleased = false
  return {
    catalog: 'parrots@1',
    currency: 'USD',
    release: () => void (isReleased = true),
    quote(usage) {
      if (usage.model === 'later-1' && !isReleased) return { kind: 'unpriceable', reason: 'The list has no price for it yet' }
      const prices = PRICES[usage.model] ?? (usage.model === 'later-1' ? (['1', '1'] as const) : null)
      if (prices === null) return { kind: 'unknown_model' }
      return { kind: 'priced', model: usage.model, provider: 'aviary', classes: classesOf(usage, prices) }
    },
  }
}

function classesOf({ inputTokens, outputTokens }: ModelUsage, [input, output]: readonly [string, string]): TokenClass[] {
  return [
    { name: 'input', tokens: inputTokens, perMillion: decimal(input) },
    { name: 'output', tokens: outputTokens, perMillion: decimal(output) },
  ]
}
