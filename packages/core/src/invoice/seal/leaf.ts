/** An event as it is sealed: one canonical text, which never changes its form. docs/seal.md describes it. */

import { type ChargeJson, chargeToJson, type ModelJson } from '../../records/charge.ts'
import type { Properties, UsageEvent } from '../../records/usage-event.ts'
import { formatInstant } from '../../values/instant.ts'
import { formatQuantity, ONE } from '../../values/quantity.ts'

/** The members of an event that are sealed, as they are printed. Its place in the log is none of them: another store has another. */
export interface SealedEvent {
  readonly customer: string
  readonly feature: string
  /** Units, as a plain decimal in its shortest form. */
  readonly quantity: string
  /** RFC 3339 in UTC with milliseconds. */
  readonly timestamp: string
  readonly key: string
  readonly route: string | null
  readonly properties: Properties | null
  readonly charge?: ChargeJson
}

export function sealedEvent(event: UsageEvent): SealedEvent {
  const { customerId, feature, quantity, at, key, route, properties, charge } = event
  return {
    customer: customerId,
    feature,
    quantity: quantity === ONE ? '1' : formatQuantity(quantity),
    timestamp: formatInstant(at),
    key,
    route,
    properties,
    ...(charge === undefined ? {} : { charge: chargeToJson(charge) }),
  }
}

/** JSON with the members in this order, whatever order they come in. What is not named here is not sealed. */
export function leafText(event: SealedEvent): string {
  const { customer, feature, quantity, timestamp, key, route, properties, charge } = event
  return JSON.stringify({
    customer,
    feature,
    quantity,
    timestamp,
    key,
    route,
    properties: properties === null ? null : inOrder(properties),
    // What is undefined is left out.
    charge: charge === undefined ? undefined : chargeInOrder(charge),
  })
}

/** By name, in the order of UTF-16 code units. Names begin with a letter, so none is taken for a number and put first. */
function inOrder(properties: Properties): Properties {
  return Object.fromEntries(Object.entries(properties).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

function chargeInOrder({ unit, cost, parts, uncovered, waived, model }: ChargeJson): object {
  return { unit, cost, parts, uncovered, waived, model: model === undefined ? undefined : modelInOrder(model) }
}

function modelInOrder({ model, provider, catalog, margin, classes, provider_cost, incomplete }: ModelJson): object {
  return { model, provider, catalog, margin, classes, provider_cost, incomplete }
}
