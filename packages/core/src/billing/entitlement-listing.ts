/** What a customer may use, feature by feature, for the customer and for the operator alike. */

import type { Farebox } from '../farebox.ts'
import { entitlementJson, type EntitlementJson } from './json.ts'
import { featureCode } from './routes.ts'

export async function entitlementsOf(
  { catalog, entitlements }: Farebox,
  customerId: string,
): Promise<{ entitlements: EntitlementJson[] }> {
  const checked = await Promise.all(
    [...catalog.features.keys()].map((feature) => entitlements.check({ customerId, feature: featureCode(feature) })),
  )
  return { entitlements: checked.map(entitlementJson) }
}
