/** What the calls of a trace are billed on: one plan with a prepaid balance, and a model's prices with a margin. */

import { defineCatalog } from '@farebox/core'
import type { Catalog, FeatureCode, PlanCode } from '@farebox/core'
import { decimal, type Decimal, type ModelPrices } from '@farebox/core/contracts'
import { CommandError } from '../command-error.ts'

/** Each month begins with so much; what goes beyond it is billed when the month ends. */
const INCLUDED = '50.00'

export const INCLUDED_BALANCE: Decimal = decimal(INCLUDED)

const PLAN: string = 'prepaid'
const FEATURE: string = 'ai_calls'

// oxlint-disable-next-line typescript/no-unnecessary-type-assertion -- an application registers its own catalog's codes
export const TRACE_PLAN: PlanCode = PLAN as PlanCode
// oxlint-disable-next-line typescript/no-unnecessary-type-assertion -- the same
export const TRACE_FEATURE: FeatureCode = FEATURE as FeatureCode

export interface Offered {
  /** As the provider names it. */
  readonly model: string
  /** Per cent. */
  readonly margin: string
}

/** The model is in the feature's name, so that another model or margin is another version of the catalog. */
export function traceCatalog({ model, margin }: Offered): Catalog {
  return defineCatalog({
    currency: 'USD',
    features: { [FEATURE]: { type: 'metered', name: `Calls of ${model}`, unit: 'call' } },
    plans: {
      [PLAN]: {
        name: 'Prepaid',
        price: INCLUDED,
        interval: 'month',
        consumption: 'balance',
        blockOnExhaustion: false,
        features: { [FEATURE]: { price: { model: 'ai_model', margin } } },
      },
    },
  })
}

/** Of a million tokens, exact. */
export interface TraceRates {
  readonly input: Decimal
  readonly output: Decimal
}

/** What one token each way costs at an instant. Throws one sentence where the model has no such price. */
export function ratesOf(models: ModelPrices, model: string, at: number): TraceRates {
  const quote = models.quote({ model, inputTokens: 1, outputTokens: 1 }, at)
  if (quote.kind === 'unknown_model')
    throw new CommandError(
      `The price list ${models.catalog} has no model ${JSON.stringify(model)}: give --model a name as its provider writes it, such as gpt-4o or claude-sonnet-4-5`,
    )
  if (quote.kind === 'unpriceable') throw new CommandError(`${quote.reason}: give --model another model`)
  const perMillion = (name: string): Decimal | undefined => quote.classes.find((one) => one.name === name)?.perMillion
  const [input, output] = [perMillion('input'), perMillion('output')]
  if (input === undefined || output === undefined)
    throw new CommandError(`${model} has no price for text that goes in and out: give --model a model that writes text`)
  return { input, output }
}
