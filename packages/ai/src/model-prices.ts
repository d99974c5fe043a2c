/** `modelPrices()`: what the tokens of a request cost, by the price list of `@pydantic/genai-prices`. */

import type { ModelPrices, ModelQuote, ModelUsage } from '@farebox/core/contracts'
import { createPriceList } from './price-list.ts'
import { classesOf, countsOf, gapIn } from './token-classes.ts'

/**
 * The prices of over a thousand models, as they were and are: the price of the day, of the time of day, and of the size of the input. They
 * come with the package, in the version that `catalog` names, so the same event always costs the same. Nothing is fetched.
 * Throws `invalid_option` when the list's package cannot be found, which happens in a bundle.
 *
 * @example createFarebox({ catalog, store, models: modelPrices() })
 */
export function modelPrices(): ModelPrices {
  const list = createPriceList()
  return { catalog: list.name, currency: 'USD', quote }

  function quote(usage: ModelUsage, at: number): ModelQuote {
    const counts = countsOf(usage)
    if (typeof counts === 'string') return unpriceable(counts)
    if (list.isReplaced()) return unpriceable(`updatePrices() gave this process other prices than those of ${list.name}`)
    const found = list.find(usage.model, usage.provider, at)
    if (found.kind === 'unknown') return { kind: 'unknown_model' }
    if (found.kind === 'unusable') return unpriceable(found.reason)

    const { model, provider, prices } = found
    const gap = gapIn(prices, counts)
    if (gap !== null) return unpriceable(`The price list has ${gap}: ${provider}/${model}`)
    return { kind: 'priced', model, provider, classes: classesOf(prices, counts) }
  }
}

function unpriceable(reason: string): ModelQuote {
  return { kind: 'unpriceable', reason }
}
