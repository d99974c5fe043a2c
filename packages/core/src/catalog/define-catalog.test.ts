import { describe, expect, test } from 'vitest'
import { defineCatalog, parseCatalog } from './define-catalog.ts'
import { catalogDocument } from './document.ts'

const catalog = defineCatalog({
  currency: 'USD',
  features: {
    api_calls: { type: 'metered', name: 'API calls', default: true },
    downloads: { type: 'metered', name: 'Downloads', unit: 'MB' },
    sso: { type: 'boolean' },
  },
  plans: {
    free: {
      name: 'Free',
      price: '0.00',
      interval: 'month',
      default: true,
      features: { api_calls: { included: 10 }, sso: false },
    },
    starter: {
      price: '5.00',
      interval: 'month',
      features: { downloads: { included: '1.5', overage: { model: 'package', size: 10, price: '0.50' } }, api_calls: {} },
    },
    pro: {
      price: '290',
      interval: 'year',
      features: {
        api_calls: { included: 'unlimited' },
        downloads: {
          included: 5,
          overage: {
            model: 'graduated',
            tiers: [
              { upTo: 20, price: '0.05', flat: '1' },
              { from: 20, price: '0.02' },
            ],
          },
        },
        sso: true,
      },
    },
  },
})

describe('a compiled catalog', () => {
  test('holds features with their defaults, in the order written', () => {
    expect([...catalog.features.values()]).toEqual([
      { code: 'api_calls', type: 'metered', name: 'API calls', unit: null, isDefault: true },
      { code: 'downloads', type: 'metered', name: 'Downloads', unit: 'MB', isDefault: false },
      { code: 'sso', type: 'boolean', name: 'sso', unit: null, isDefault: false },
    ])
    expect([catalog.defaultFeature, catalog.defaultPlan]).toEqual(['api_calls', 'free'])
  })

  test('holds plans with exact prices', () => {
    const [free, starter, pro] = [...catalog.plans.values()]
    expect(free).toMatchObject({ code: 'free', isFree: true, isDefault: true, interval: 'month', periodsPerInterval: 1 })
    expect(starter).toMatchObject({ name: 'starter', isFree: false, isDefault: false, price: { coefficient: 5n, scale: 0 } })
    expect(pro).toMatchObject({ interval: 'year', periodsPerInterval: 12, price: { coefficient: 290n, scale: 0 } })
  })

  test('holds what each plan grants, blocked beyond it unless priced', () => {
    const starter = catalog.plans.get('starter')
    expect([...(starter?.features.values() ?? [])]).toEqual([
      { kind: 'metered', feature: 'api_calls', included: 0n, overage: 'block' },
      {
        kind: 'metered',
        feature: 'downloads',
        included: 1_500_000n,
        overage: { model: 'package', size: 10_000_000n, packagePrice: { coefficient: 5n, scale: 1 } },
      },
    ])
    expect(catalog.plans.get('free')?.features.has('sso')).toBe(false)
    expect(catalog.plans.get('pro')?.features.get('sso')).toEqual({ kind: 'boolean', feature: 'sso' })
    expect(catalog.plans.get('pro')?.features.get('api_calls')).toMatchObject({ included: 'unlimited' })
  })

  test('holds tiers with inclusive bounds, the last without one', () => {
    const downloads = catalog.plans.get('pro')?.features.get('downloads')
    expect(downloads).toMatchObject({
      overage: {
        tiers: [
          { upTo: 20_000_000n, flat: { coefficient: 1n } },
          { upTo: 'unbounded', flat: { coefficient: 0n } },
        ],
      },
    })
  })

  test('makes the only metered feature the default, unless it says no', () => {
    const plans = { free: { price: '0', interval: 'month' } } as const
    const withDefault = (wants?: boolean): unknown =>
      defineCatalog({
        currency: 'EUR',
        features: { calls: { type: 'metered', ...(wants === undefined ? {} : { default: wants }) }, sso: { type: 'boolean' } },
        plans,
      }).defaultFeature
    expect([withDefault(), withDefault(true), withDefault(false)]).toEqual(['calls', 'calls', null])
    expect(
      defineCatalog({ currency: 'EUR', features: { a: { type: 'metered' }, b: { type: 'metered' } }, plans }).defaultFeature,
    ).toBeNull()
  })
})

describe('the version', () => {
  /** The definition as JSON brings it: of no type, and changed freely. */
  const written = (): ReturnType<typeof JSON.parse> => JSON.parse(catalog.document)

  test('is the same for the same content, however it is written', () => {
    const definition = written()
    definition.plans.pro = Object.fromEntries(Object.entries(definition.plans.pro).toReversed())
    definition.plans.pro.price = '290.00'
    definition.plans.pro.features.downloads.included = 5
    definition.plans.pro.features = Object.fromEntries(Object.entries(definition.plans.pro.features).toReversed())
    expect(defineCatalog(definition).version).toBe(catalog.version)
    expect(catalog.version).toMatch(/^[0-9a-f]{16}$/)
  })

  test.each<[string, (definition: ReturnType<typeof written>) => void]>([
    ['a price', ({ plans }) => (plans.pro.price = '290.01')],
    ['an allowance', ({ plans }) => (plans.free.features.api_calls.included = 11)],
    ['a name', ({ features }) => (features.api_calls.name = 'Calls')],
    ['a currency', (definition) => (definition.currency = 'EUR')],
    ['a tier', ({ plans }) => Object.assign(plans.pro.features.downloads.overage.tiers, [{ upTo: 21, price: '0.05' }])],
    [
      'the order of plans',
      (definition) => (definition.plans = Object.fromEntries(Object.entries(definition.plans).toReversed())),
    ],
  ])('changes with %s', (_, change) => {
    const definition = written()
    change(definition)
    expect(defineCatalog(definition).version).not.toBe(catalog.version)
  })

  test('does not follow an object that is changed after it was read', () => {
    const definition = written()
    const before = defineCatalog(definition)
    definition.plans.pro.price = '1'
    expect(before.plans.get('pro')?.price).toEqual(catalog.plans.get('pro')?.price)
  })
})

describe('parseCatalog', () => {
  test('gives back the catalog that wrote the document', () => {
    expect(parseCatalog(catalog.document)).toEqual(catalog)
    expect(catalogDocument(parseCatalog(catalog.document))).toBe(catalog.document)
  })

  test('refuses a document that is none', () => {
    expect(() => parseCatalog('{')).toThrow(expect.objectContaining({ code: 'invalid_catalog' }))
    expect(() => parseCatalog('null')).toThrow('The catalog is null, but an object was expected: write it in braces')
  })
})

describe('the types', () => {
  const features = { api_calls: { type: 'metered' }, sso: { type: 'boolean' } } as const

  test('refuse a misspelt feature code in a plan', () => {
    expect(() =>
      defineCatalog({
        currency: 'USD',
        features,
        // @ts-expect-error -- api_call is no feature
        plans: { pro: { price: '1', interval: 'month', features: { api_calls: { included: 1 }, api_call: { included: 1 } } } },
      }),
    ).toThrow(expect.objectContaining({ code: 'unknown_feature' }))
  })

  test('refuse a price that is a number, and an option that nobody reads', () => {
    expect(() =>
      defineCatalog({
        currency: 'USD',
        features,
        // @ts-expect-error -- a price is a string
        plans: { pro: { price: 1, interval: 'month' } },
      }),
    ).toThrow(expect.objectContaining({ code: 'invalid_price' }))
    expect(() =>
      defineCatalog({
        currency: 'USD',
        features,
        // @ts-expect-error -- the option is named overage
        plans: { pro: { price: '1', interval: 'month', features: { api_calls: { included: 1, overrage: 'block' } } } },
      }),
    ).toThrow(expect.objectContaining({ code: 'invalid_catalog' }))
  })

  test('know the codes of a catalog', () => {
    expect(catalog.plans.get('pro')?.code).toBe('pro')
    // @ts-expect-error -- proo is no plan
    expect(catalog.plans.get('proo')).toBeUndefined()
    // @ts-expect-error -- api_call is no feature
    expect(catalog.features.get('api_call')).toBeUndefined()
  })
})
