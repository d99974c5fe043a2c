/** Plans: a base price per interval, one consumption model, and what they grant of each feature. */

import { type Decimal, isZero } from '../values/decimal.ts'
import type { Every } from '../values/period.ts'
import type { QuantityInput } from '../values/quantity.ts'
import { readCredits } from './credits.ts'
import {
  type Field,
  member,
  readEntries,
  readFlag,
  readName,
  readOptions,
  readPrice,
  readWhole,
  readWord,
  refuse,
} from './definition.ts'
import type { Feature } from './feature.ts'
import { type FeatureTermsDefinition, type PlanFeature, readPlanFeatures } from './plan-feature.ts'
import type { PriceInput } from './price.ts'

/** How often a base price is due. */
export type PlanInterval = 'week' | 'month' | 'quarter' | 'year' | 'one_time'

/** How a plan sells usage: by units beyond an allowance, by credits, or against prepaid money. */
export type Consumption = 'metered' | 'credits' | 'balance'

/** What is given back when a plan ends before what was paid for it. */
export type ProrationRule = 'max_consumption' | 'time' | 'none'

export interface PlanDefinition<F extends string = string> {
  /** Printed on invoices; the code when absent. */
  readonly name?: string
  /** Base price of an interval, paid in advance, as a decimal string in the currency's main unit. */
  readonly price: PriceInput
  /** How often the base price is due. Usage resets every seven days on weekly plans, and monthly on all others. */
  readonly interval: PlanInterval
  /** How usage is sold. Default `'metered'`. */
  readonly consumption?: Consumption
  /** Days before the first base price, without overage. Default 0. */
  readonly trialDays?: number
  /** On a plan of credits: how many are granted at each reset. What was left of the last ones goes. */
  readonly credits?: QuantityInput
  /** On a plan of prepaid balance: what each usage period begins with. Default: the base price, by usage period. */
  readonly includedBalance?: PriceInput
  /** On a plan of prepaid balance: whether usage stops at zero (the default for free plans) or is billed when the period ends. */
  readonly blockOnExhaustion?: boolean
  /** Most that usage beyond the allowance may cost in a usage period; more is refused. */
  readonly spendLimit?: PriceInput
  /** Least that an interval costs, base price and usage together; what is lacking is billed at its end. */
  readonly minimum?: PriceInput
  /** What a change of plan gives back. Default `'max_consumption'`: the price less the larger share of time or allowance that was used. */
  readonly proration?: ProrationRule
  /** How time is counted then. Default `'day'`: whole days in the customer's time zone. */
  readonly prorationUnit?: 'day' | 'second'
  /** Names the tax rate of its lines. */
  readonly taxCategory?: string
  /** A customer seen for the first time is subscribed to it; at most one plan. */
  readonly default?: boolean
  /** By feature code: terms for a metered feature, true or false for a boolean one. What is left out is not in the plan. */
  readonly features?: { readonly [Code in F]?: FeatureTermsDefinition | boolean }
}

/** A plan as the engine reads it. */
export interface Plan {
  readonly code: string
  readonly name: string
  /** Base price of an interval, exact, in the currency's main unit. */
  readonly price: Decimal
  readonly interval: PlanInterval
  /** How long a usage period is. */
  readonly every: Every
  /** Usage periods between two base prices; null: the base price is due once. */
  readonly periodsPerInterval: number | null
  readonly consumption: Consumption
  readonly trialDays: number
  /** Credits granted at each reset; null on other plans. */
  readonly credits: Decimal | null
  /** Money that a usage period begins with, in the currency's main unit; null: a share of the base price. */
  readonly includedBalance: Decimal | null
  /** Whether usage stops when credits or balance are used up. */
  readonly blocksOnExhaustion: boolean
  readonly spendLimit: Decimal | null
  readonly minimum: Decimal | null
  readonly proration: ProrationRule
  readonly prorationUnit: 'day' | 'second'
  readonly taxCategory: string | null
  /** Its base price is zero, so nothing is ever owed. */
  readonly isFree: boolean
  /** Customers seen for the first time are subscribed to it. */
  readonly isDefault: boolean
  /** By feature code, in the order of the catalog's features. */
  readonly features: ReadonlyMap<string, PlanFeature>
}

interface IntervalLength {
  readonly every: Every
  readonly periodsPerInterval: number | null
}

const MONTH: Every = { unit: 'month', count: 1 }

const INTERVALS: Readonly<Record<PlanInterval, IntervalLength>> = {
  week: { every: { unit: 'week', count: 1 }, periodsPerInterval: 1 },
  month: { every: MONTH, periodsPerInterval: 1 },
  quarter: { every: MONTH, periodsPerInterval: 3 },
  year: { every: MONTH, periodsPerInterval: 12 },
  one_time: { every: MONTH, periodsPerInterval: null },
}

const OPTIONS = [
  'name',
  'price',
  'interval',
  'consumption',
  'trialDays',
  'credits',
  'includedBalance',
  'blockOnExhaustion',
  'spendLimit',
  'minimum',
  'proration',
  'prorationUnit',
  'taxCategory',
  'default',
  'features',
]

/** Nobody tries an API for longer than two years. */
const MAX_TRIAL_DAYS = 730

/** Reads the plans in the order in which they were written. At most one is the default. */
export function readPlans(field: Field, features: ReadonlyMap<string, Feature>): Map<string, Plan> {
  const plans = new Map<string, Plan>()
  let defaultCode: string | null = null
  for (const [code, entry] of readEntries(field)) {
    const plan = readPlan(entry, { code, features })
    if (plan.isDefault && defaultCode !== null) {
      refuse(member(entry, 'default'), {
        expected: `only one default plan, which is plans.${defaultCode},`,
        fix: 'remove default from one of them',
      })
    }
    if (plan.isDefault) defaultCode = code
    plans.set(code, plan)
  }
  return plans
}

type Option = (name: string) => Field

function readPlan(
  field: Field,
  { code, features }: { readonly code: string; readonly features: ReadonlyMap<string, Feature> },
): Plan {
  const option = readOptions(field, OPTIONS)
  const price = readPrice(option('price'))
  const interval = readWord(
    option('interval'),
    ['week', 'month', 'quarter', 'year', 'one_time'],
    "write 'month', or one of the others",
  )
  const consumption = wordOr(option('consumption'), ['metered', 'credits', 'balance'], 'metered')
  const isFree = isZero(price)
  const prepaid = readPrepaid(option, { consumption, isFree })
  return {
    code,
    name: readName(option('name')) ?? code,
    price,
    interval,
    ...INTERVALS[interval],
    consumption,
    trialDays: option('trialDays').value === undefined ? 0 : readWhole(option('trialDays'), { least: 0, most: MAX_TRIAL_DAYS }),
    ...prepaid,
    spendLimit: readAllowed(option('spendLimit'), whyNoSpendLimit({ consumption, isFree, ...prepaid })),
    minimum: readAllowed(option('minimum'), isFree ? 'a free plan commits to nothing' : null),
    proration: wordOr(option('proration'), ['max_consumption', 'time', 'none'], 'max_consumption'),
    prorationUnit: wordOr(option('prorationUnit'), ['day', 'second'], 'day'),
    taxCategory: readName(option('taxCategory')),
    isFree,
    isDefault: readFlag(option('default')) ?? false,
    features: readPlanFeatures(option('features'), { features, isFree, consumption }),
  }
}

type Prepaid = Pick<Plan, 'credits' | 'includedBalance' | 'blocksOnExhaustion'>

function readPrepaid(
  option: Option,
  { consumption, isFree }: { readonly consumption: Consumption; readonly isFree: boolean },
): Prepaid {
  for (const [name, model] of [
    ['credits', 'credits'],
    ['includedBalance', 'balance'],
    ['blockOnExhaustion', 'balance'],
  ] as const) {
    if (option(name).value === undefined || consumption === model) continue
    refuse(option(name), {
      expected: `no ${name} on a plan whose consumption is '${consumption}'`,
      fix: `remove it, or write consumption: '${model}'`,
    })
  }
  if (consumption === 'credits') {
    if (option('credits').value === undefined)
      refuse(option('credits'), { expected: 'how many credits each period grants', fix: 'write a number, such as credits: 1000' })
    return { credits: readCredits(option('credits')), includedBalance: null, blocksOnExhaustion: true }
  }
  const isBlocking = readFlag(option('blockOnExhaustion')) ?? isFree
  if (consumption === 'balance' && isFree && !isBlocking)
    refuse(option('blockOnExhaustion'), {
      expected: 'true on a plan whose price is 0',
      fix: 'remove it: a free plan cannot have overage',
    })
  const included = option('includedBalance')
  return {
    credits: null,
    includedBalance: included.value === undefined ? null : readPrice(included),
    blocksOnExhaustion: isBlocking,
  }
}

/** Why nothing is ever billed beyond what a plan allows; null where something may be. */
function whyNoSpendLimit({
  consumption,
  isFree,
  blocksOnExhaustion,
}: Pick<Plan, 'consumption' | 'isFree' | 'blocksOnExhaustion'>) {
  if (isFree) return 'a free plan bills nothing'
  if (consumption === 'credits') return 'on a plan of credits nothing is billed beyond them'
  return blocksOnExhaustion ? 'with blockOnExhaustion nothing is billed beyond the balance' : null
}

/** Takes a price, or nothing; refuses it where there is a reason against it. */
function readAllowed(field: Field, whyNot: string | null): Decimal | null {
  if (field.value === undefined) return null
  if (whyNot !== null) refuse(field, { expected: 'nothing here', fix: `remove it: ${whyNot}` })
  return readPrice(field)
}

function wordOr<const W extends string>(field: Field, words: readonly W[], otherwise: W): W {
  return field.value === undefined ? otherwise : readWord(field, words, `leave it out for '${otherwise}'`)
}
