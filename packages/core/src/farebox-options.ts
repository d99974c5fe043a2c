/** Checks what developers give to `createFarebox()` and `meter()`. */

import type { Catalog } from './catalog/catalog.ts'
import { FareboxError } from './errors.ts'
import type { FareboxOptions } from './farebox.ts'
import type { MeterOptions } from './http/contract.ts'
import { invalidOption, refuseOtherThanFunction, refuseOtherWords, refuseUnknownOptions } from './options.ts'
import { parseQuantity } from './values/quantity.ts'

const FAREBOX_OPTIONS = [
  'catalog',
  'store',
  'clock',
  'onCrash',
  'upgradeUrl',
  'invoiceSeries',
  'onError',
  'spool',
  'models',
  'tax',
  'invoiceGraceHours',
  'payments',
  'billingUrl',
  'creditNoteSeries',
]
const METER_OPTIONS = ['units', 'estimate', 'identify', 'anonymous', 'billWhen', 'onAbort', 'skip', 'onRefused', 'onStoreError']

/** Throws `invalid_option`. */
export function checkFareboxOptions(options: FareboxOptions): void {
  const where = 'createFarebox()'
  if (typeof options !== 'object' || options === null)
    throw invalidOption(where, 'the argument', 'an object with catalog and store', options)
  refuseUnknownOptions(where, options, FAREBOX_OPTIONS)
  if (!(options.catalog?.features instanceof Map))
    throw invalidOption(where, 'catalog', 'the result of defineCatalog()', options.catalog)
  if (typeof options.store?.change !== 'function')
    throw invalidOption(where, 'store', 'a store, such as sqlite({ path })', options.store)
  if (options.clock !== undefined && typeof options.clock?.now !== 'function')
    throw invalidOption(where, 'clock', 'a clock with now()', options.clock)
  refuseOtherWords(where, 'onCrash', options.onCrash, ['charge', 'void'])
  refuseOtherThanFunction(where, 'onError', options.onError)
  if (options.upgradeUrl !== undefined && typeof options.upgradeUrl !== 'string')
    throw invalidOption(where, 'upgradeUrl', 'a URL', options.upgradeUrl)
  checkModels(options)
  if (options.tax !== undefined && typeof options.tax?.taxOf !== 'function')
    throw invalidOption(where, 'tax', 'tax rules, such as fixedTaxRates()', options.tax)
  checkSelling(options)
  const { invoiceSeries, invoiceGraceHours: grace = 0 } = options
  if (!(Number.isFinite(grace) && grace >= 0 && grace <= MAX_GRACE_HOURS))
    throw invalidOption(where, 'invoiceGraceHours', `hours from 0 to ${MAX_GRACE_HOURS}`, grace)
  if (invoiceSeries !== undefined && !SERIES.test(invoiceSeries)) {
    throw invalidOption(where, 'invoiceSeries', '1 to 16 capital letters and digits, such as FB', invoiceSeries)
  }
}

/** Throws `invalid_option`. */
function checkSelling({ payments, billingUrl, invoiceSeries = 'FB', creditNoteSeries: series = 'CN' }: FareboxOptions): void {
  const where = 'createFarebox()'
  const isProvider = typeof payments?.charge === 'function' && /^[a-z][a-z0-9_]{0,31}$/.test(payments.id)
  if (payments !== undefined && !isProvider)
    throw invalidOption(where, 'payments', 'a payment provider, such as sandbox() or manual()', payments)
  if (billingUrl !== undefined && !(typeof billingUrl === 'string' && /^(https?:\/\/|\/)/.test(billingUrl)))
    throw invalidOption(where, 'billingUrl', 'a URL or a path, such as https://api.example.com/billing', billingUrl)
  if (!SERIES.test(series) || series === invoiceSeries)
    throw invalidOption(where, 'creditNoteSeries', '1 to 16 capital letters and digits that are not the invoiceSeries', series)
}

const SERIES = /^[A-Z][A-Z0-9]{0,15}$/

/** A draft that is older belongs to somebody who has to look. */
const MAX_GRACE_HOURS = 24 * 31

/** A catalog that sells AI models needs their prices, in the currency that it bills. */
function checkModels({ catalog, models }: FareboxOptions): void {
  for (const { currency, plans } of catalog.offers.values()) {
    for (const plan of plans.values()) {
      const sells = [...plan.features.values()].some((terms) => terms.kind === 'balance' && terms.price.model === 'ai_model')
      if (!sells) continue
      if (typeof models?.quote !== 'function')
        throw invalidOption(
          'createFarebox()',
          'models',
          `the prices of AI models, which plans.${plan.code} sells, such as modelPrices() of @farebox/ai`,
          models,
        )
      if (models.currency !== currency)
        throw invalidOption(
          'createFarebox()',
          'models',
          `prices in ${currency}, in which plans.${plan.code} is sold`,
          models.currency,
        )
    }
  }
}

/** Throws `invalid_option` or `invalid_quantity`. */
export function checkMeterOptions<Raw>(options: MeterOptions<Raw>): void {
  const where = 'meter()'
  refuseUnknownOptions(where, options, METER_OPTIONS)
  refuseOtherThanFunction(where, 'identify', options.identify)
  refuseOtherThanFunction(where, 'billWhen', options.billWhen)
  refuseOtherThanFunction(where, 'estimate', options.estimate)
  refuseOtherWords(where, 'anonymous', options.anonymous, ['reject', 'skip'])
  refuseOtherWords(where, 'onAbort', options.onAbort, ['charge', 'void'])
  refuseOtherThanFunction(where, 'skip', options.skip)
  refuseOtherThanFunction(where, 'onRefused', options.onRefused)
  refuseOtherWords(where, 'onStoreError', options.onStoreError, ['refuse', 'allow'])
  if (options.units !== undefined && typeof options.units !== 'function') parseQuantity(options.units, 'units')
}

/** The metered feature that a meter counts. Throws `unknown_feature` or `no_default_feature`. */
export function featureOf(catalog: Catalog, code: string | undefined): string {
  const metered = [...catalog.features.values()].filter(({ type }) => type === 'metered').map((feature) => feature.code)
  if (code === undefined) {
    if (catalog.defaultFeature !== null) return catalog.defaultFeature
    throw new FareboxError(
      'no_default_feature',
      `meter() counts the catalog's default feature, and none of ${metered.join(', ') || 'its features'} is marked as such: write default: true on one, or name it in meter('${metered[0] ?? 'api_calls'}')`,
      { fields: { features: metered } },
    )
  }
  if (metered.includes(code)) return code
  throw new FareboxError(
    'unknown_feature',
    `Expected one of the catalog's metered features ${metered.join(', ')}, got '${code}': fix its spelling or add it to features`,
    {
      fields: { feature: code, expected: metered },
    },
  )
}
