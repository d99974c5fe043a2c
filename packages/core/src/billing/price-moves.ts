/** Moves customers to the prices of the catalog, page by page: whoever is interrupted goes on where the last answer says. */

import type { Farebox } from '../farebox.ts'
import { formatInstant } from '../values/instant.ts'
import { parsePlaceCursor, placeCursor } from './cursors.ts'
import type { PageJson } from './listings.ts'
import { Problem, problemOf } from './problems.ts'
import type { AllPricesBody } from './subscription-inputs.ts'
import type { PriceMoveJson } from './subscription-schemas.ts'

const DEFAULT_PAGE = 100

/** Moving somebody again moves nothing. */
export async function movePricesOfAll(
  farebox: Farebox,
  { when, cursor, limit = DEFAULT_PAGE }: AllPricesBody,
): Promise<PageJson<PriceMoveJson>> {
  const { items, next } = await farebox.customers.list({ after: parsePlaceCursor(cursor), limit })
  const moves = await Promise.all(items.map(({ id }) => movePricesOf(farebox, id, when)))
  return { items: moves, next: placeCursor(next) }
}

/** One that cannot be moved must not keep the others from it. */
async function movePricesOf(farebox: Farebox, customer: string, when: AllPricesBody['when']): Promise<PriceMoveJson> {
  const unmoved = (result: PriceMoveJson['result']): PriceMoveJson => ({ customer, result, effective_at: null })
  try {
    const subscription = await farebox.subscriptions.get(customer)
    if (subscription === null || subscription.status === 'canceled') return unmoved('no_subscription')
    if (subscription.catalogVersion === farebox.catalog.version) return unmoved('current')
    const { effectiveAt } = await farebox.subscriptions.movePrices({ customerId: customer, when })
    return { customer, result: 'moved', effective_at: formatInstant(effectiveAt) }
  } catch (error) {
    const problem = problemOf(error)
    if (problem?.code === 'store_unavailable') throw error
    if (problem === null) farebox.onError(error)
    const { code, message: detail } =
      problem ?? new Problem('internal_error', 'It could not be moved. The operator has been told.')
    return { ...unmoved('refused'), problem: { code, detail } }
  }
}
