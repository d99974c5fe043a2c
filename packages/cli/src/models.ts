/** Prices of AI models, loaded only where a catalog sells them. */

import type { Catalog } from '@farebox/core'
import type { ModelPrices } from '@farebox/core/contracts'
import { codeOf, CommandError } from './command-error.ts'

/** Undefined where none of the catalogs sells AI models. Rejects with one sentence where the package is missing. */
export async function modelsFor(catalogs: readonly Catalog[]): Promise<ModelPrices | undefined> {
  if (!catalogs.some(sellsModels)) return undefined
  try {
    const { modelPrices } = await import('@farebox/ai')
    return modelPrices()
  } catch (error) {
    if (codeOf(error) !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new CommandError('The catalog sells AI models, whose prices are in a package beside farebox: npm install @farebox/ai')
  }
}

function sellsModels({ offers }: Catalog): boolean {
  const plans = [...offers.values()].flatMap((offer) => [...offer.plans.values()])
  return plans.some(({ features }) =>
    [...features.values()].some((terms) => terms.kind === 'balance' && terms.price.model === 'ai_model'),
  )
}
