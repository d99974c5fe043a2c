/** What an event costs on a plan of credits or of a prepaid balance, and which grants pay for it. */

import { add, type Decimal, DECIMAL_ZERO, formatDecimal, storedDecimal } from '../values/decimal.ts'
import { invariant } from '../values/invariant.ts'
import type { TokenClass } from './model-usage.ts'

/** What one grant pays. */
export interface ChargePart {
  /** The grant's id. */
  readonly grant: string
  /** More than zero (less for a correction that gives back), in the charge's unit, exact. */
  readonly amount: Decimal
}

/** Exact amounts; nothing is rounded before the invoice. Σ parts + uncovered + waived = cost. */
export interface Charge {
  /** `'credits'`, or the ISO 4217 code of the balance's currency. */
  readonly unit: string
  readonly cost: Decimal
  /** Which grant pays how much: what is voided goes back to the same ones. */
  readonly parts: readonly ChargePart[]
  /** What no grant pays and is billed when the period ends: overdraft. */
  readonly uncovered: Decimal
  /** What nobody pays: the plan blocks, and the work cost more than was held for it. */
  readonly waived: Decimal
  /** How the cost of an AI model's tokens came about. */
  readonly model?: ModelCharge
}

/** The prices that were used, kept with the event: a later price list changes nothing. */
export interface ModelCharge {
  readonly model: string
  readonly provider: string
  /** Name and version of the price list. */
  readonly catalog: string
  /** Per cent that the plan adds, as a decimal string. */
  readonly margin: string
  readonly classes: readonly TokenClass[]
  /** What the tokens cost at the provider's prices, without the margin, exact. */
  readonly providerCost: Decimal
  /** Whether the answer broke off, and what was delivered is billed. */
  readonly isIncomplete: boolean
}

/** The charge as a store keeps it: JSON with decimal strings. */
export function chargeToDocument(charge: Charge): string {
  return JSON.stringify(chargeToJson(charge))
}

export function chargeToJson({ unit, cost, parts, uncovered, waived, model }: Charge): ChargeJson {
  return {
    unit,
    cost: formatDecimal(cost),
    parts: parts.map(({ grant, amount }) => [grant, formatDecimal(amount)] as const),
    ...(uncovered.coefficient === 0n ? {} : { uncovered: formatDecimal(uncovered) }),
    ...(waived.coefficient === 0n ? {} : { waived: formatDecimal(waived) }),
    ...(model === undefined ? {} : { model: modelToJson(model) }),
  }
}

export function chargeFromDocument(document: string): Charge {
  const { unit, cost, parts, uncovered, waived, model } = JSON.parse(document) as ChargeJson
  const charge: Charge = {
    unit,
    cost: storedDecimal(cost),
    parts: parts.map(([grant, amount]) => ({ grant, amount: storedDecimal(amount) })),
    uncovered: uncovered === undefined ? DECIMAL_ZERO : storedDecimal(uncovered),
    waived: waived === undefined ? DECIMAL_ZERO : storedDecimal(waived),
    ...(model === undefined ? {} : { model: modelFromJson(model) }),
  }
  invariant(isBalanced(charge), 'the parts of a charge sum to its cost')
  return charge
}

export function isBalanced({ cost, parts, uncovered, waived }: Charge): boolean {
  const paid = parts.reduce((sum, { amount }) => add(sum, amount), add(uncovered, waived))
  return paid.coefficient === cost.coefficient && paid.scale === cost.scale
}

/** Amounts are decimal strings; those of zero are left out. */
export interface ChargeJson {
  readonly unit: string
  readonly cost: string
  readonly parts: readonly (readonly [grant: string, amount: string])[]
  readonly uncovered?: string
  readonly waived?: string
  readonly model?: ModelJson
}

export interface ModelJson extends Omit<ModelCharge, 'classes' | 'providerCost' | 'isIncomplete'> {
  readonly classes: readonly (readonly [name: TokenClass['name'], tokens: number, perMillion: string])[]
  readonly provider_cost: string
  readonly incomplete?: true
}

/** The members in this order, because sealed texts are made of it. */
function modelToJson({ model, provider, catalog, margin, classes, providerCost, isIncomplete }: ModelCharge): ModelJson {
  return {
    model,
    provider,
    catalog,
    margin,
    classes: classes.map(({ name, tokens, perMillion }) => [name, tokens, formatDecimal(perMillion)] as const),
    provider_cost: formatDecimal(providerCost),
    ...(isIncomplete ? { incomplete: true } : {}),
  }
}

function modelFromJson({ classes, provider_cost, incomplete, ...model }: ModelJson): ModelCharge {
  return {
    ...model,
    classes: classes.map(([name, tokens, perMillion]) => ({ name, tokens, perMillion: storedDecimal(perMillion) })),
    providerCost: storedDecimal(provider_cost),
    isIncomplete: incomplete === true,
  }
}
