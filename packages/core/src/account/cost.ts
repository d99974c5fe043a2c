/** What usage costs on a plan of credits or of a prepaid balance: exact, before anybody pays. */

import type { BalanceTerms, CreditTerms } from '../catalog/plan-feature.ts'
import type { ModelPrices } from '../contracts/model-prices.ts'
import type { ModelCharge } from '../records/charge.ts'
import type { ModelUsage } from '../records/model-usage.ts'
import { add, type Decimal, decimal, DECIMAL_ZERO, formatDecimal, multiply, toDecimal } from '../values/decimal.ts'
import { invariant } from '../values/invariant.ts'
import { type Quantity, quantityToDecimal } from '../values/quantity.ts'

export interface Costing {
  /** Units, in millionths. */
  readonly quantity: Quantity
  /** Tokens, where an AI model was used. */
  readonly usage: ModelUsage | null
  /** When: the price in force then counts. Epoch milliseconds. */
  readonly at: number
  /** Whether the answer broke off. */
  readonly isIncomplete: boolean
}

export type Cost =
  | { readonly kind: 'priced'; readonly cost: Decimal; readonly model?: ModelCharge }
  /** No price list has the model. */
  | { readonly kind: 'unknown_model'; readonly model: string }
  /** It has no price; `reason` says why in one sentence. */
  | { readonly kind: 'unpriceable'; readonly reason: string }

/** Pure, given a price list. Without `usage` an AI model's feature costs nothing yet: its tokens are not known. */
export function costOf(terms: CreditTerms | BalanceTerms, costing: Costing, models: ModelPrices | null): Cost {
  const units = quantityToDecimal(costing.quantity)
  if (terms.kind === 'credits') return { kind: 'priced', cost: multiply(terms.credits, units) }
  const { price } = terms
  if (price.model === 'fixed') return { kind: 'priced', cost: multiply(price.unitPrice, units) }
  if (costing.usage === null) return { kind: 'priced', cost: DECIMAL_ZERO }
  invariant(models !== null, 'a catalog that sells AI models has their prices')
  return costOfTokens(price.margin, costing.usage, costing, models)
}

const PER_MILLION = toDecimal(1n, 6)
const ONE = decimal('1')
const PER_CENT = toDecimal(1n, 2)

/** Each class of tokens at its price, times one plus the margin. */
function costOfTokens(margin: Decimal, usage: ModelUsage, { at, isIncomplete }: Costing, models: ModelPrices): Cost {
  const quote = models.quote(usage, at)
  if (quote.kind === 'unknown_model') return { kind: 'unknown_model', model: usage.model }
  if (quote.kind === 'unpriceable') return quote
  const { model, provider, classes } = quote
  const counted = classes.reduce((sum, { tokens }) => sum + tokens, 0)
  invariant(counted === usage.inputTokens + usage.outputTokens, 'each token is in exactly one class')
  const providerCost = classes
    .map(({ tokens, perMillion }) => multiply(multiply(toDecimal(BigInt(tokens)), perMillion), PER_MILLION))
    .reduce(add, DECIMAL_ZERO)
  const cost = multiply(providerCost, add(ONE, multiply(margin, PER_CENT)))
  return {
    kind: 'priced',
    cost,
    model: { model, provider, catalog: models.catalog, margin: formatDecimal(margin), classes, providerCost, isIncomplete },
  }
}
