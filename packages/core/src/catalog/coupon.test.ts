import { describe, expect, test } from 'vitest'
import { refusalOf, sound, withValue } from '../../test/definitions.ts'
import { toDecimal } from '../values/decimal.ts'
import { defineCatalog, parseCatalog } from './define-catalog.ts'

describe('a coupon', () => {
  test('reduces every invoice of every customer by per cent or an amount, unless it says otherwise', () => {
    const { offers } = defineCatalog(withValue('coupons', { welcome: { percent: '12.5' }, sorry: { amount: '5.00' } }))
    const unlimited = { cycles: null, maxRedemptions: null, plans: null }
    expect([...(offers.get('USD')?.coupons.values() ?? [])]).toEqual([
      { code: 'welcome', name: 'welcome', reduction: { kind: 'percent', percent: toDecimal(125n, 1) }, ...unlimited },
      { code: 'sorry', name: 'sorry', reduction: { kind: 'amount', amount: toDecimal(5n) }, ...unlimited },
    ])
  })

  test('holds how long, how often and for whom, and is written as it was written', () => {
    const launch = { name: 'Launch', percent: '100', cycles: 3, maxRedemptions: 50, plans: ['pro'] }
    const catalog = defineCatalog(withValue('coupons', { launch }))
    expect(catalog.offers.get('USD')?.coupons.get('launch')).toMatchObject({
      name: 'Launch',
      cycles: 3,
      maxRedemptions: 50,
      plans: ['pro'],
    })
    expect(JSON.parse(catalog.document).coupons).toEqual({ launch })
    expect(parseCatalog(catalog.document)).toEqual(catalog)
    expect(catalog.version).not.toBe(defineCatalog(sound()).version)
  })

  test.each<[coupon: unknown, message: string, code?: string]>([
    [{}, "coupons.launch is an object, but either percent or amount was expected: write percent: '10' or amount: '5.00'"],
    [{ percent: '10', amount: '5' }, 'coupons.launch is an object, but either percent or amount was expected'],
    [
      { percent: '0' },
      "coupons.launch.percent is '0', but per cent as a decimal string above '0', at most '100' was expected: write it in quotes, such as '10'",
    ],
    [{ percent: '100.000001' }, "coupons.launch.percent is '100.000001'"],
    [{ percent: '-5' }, "coupons.launch.percent is '-5'"],
    [{ percent: 10 }, 'coupons.launch.percent is 10'],
    [{ amount: '0.00' }, "coupons.launch.amount is '0.00', but an amount above zero was expected"],
    [{ amount: 5 }, 'coupons.launch.amount is 5, but a decimal string', 'invalid_price'],
    [{ percent: '10', cycles: 0 }, 'coupons.launch.cycles is 0, but a whole number from 1 to 1200 was expected'],
    [{ percent: '10', cycles: 1.5 }, 'coupons.launch.cycles is 1.5'],
    [{ percent: '10', maxRedemptions: 0 }, 'coupons.launch.maxRedemptions is 0, but a whole number from 1 to 1000000000'],
    [{ percent: '10', plans: [] }, 'coupons.launch.plans is a list of 0, but a list of 1 to 1000 entries was expected'],
    [
      { percent: '10', plans: ['pro', 'prro'] },
      "coupons.launch.plans[1] is 'prro', but one of the plans free or pro was expected: fix its spelling",
      'unknown_plan',
    ],
    [
      { percent: '10', until: '2027' },
      "coupons.launch.until is '2027', but an option named name, percent, amount, cycles, maxRedemptions or plans was expected",
    ],
    ['10', "coupons.launch is '10', but an object was expected"],
  ])('%j is refused in one sentence', (coupon, message, code = 'invalid_catalog') => {
    const refusal = refusalOf(withValue('coupons', { launch: coupon }))
    expect(refusal.message).toContain(message)
    expect(refusal.code).toBe(code)
    expect(refusal.message).not.toMatch(/\n|\.$/)
  })
})
