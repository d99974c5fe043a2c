import type { invoiceJson } from '@farebox/core'
import { expect, onTestFinished, test } from 'vitest'
import { start } from '../src/server.ts'

async function running() {
  const { farebox, url, key, stop } = await start(0)
  onTestFinished(stop)
  const call = (path: string, apiKey = key) => fetch(url + path, { headers: { 'x-api-key': apiKey } })
  return { farebox, call }
}

const GOOD = 'GB29 NWBK 6016 1331 9268 19'
const BAD = 'GB29 NWBK 6016 1331 9268 18'

test('an IBAN is checked by its digits', async () => {
  const { call } = await running()
  const good = await call(`/v1/ibans/${encodeURIComponent(GOOD)}`)
  expect(await good.json()).toEqual({ iban: 'GB29NWBK60161331926819', country: 'GB', isValid: true, checksLeft: '4' })
  expect(good.headers.get('ratelimit')).toMatch(/^"checks";r=4;t=/)
  expect(await (await call(`/v1/ibans/${BAD}`)).json()).toMatchObject({ isValid: false })
  expect(await (await call('/v1/ibans/hello')).json()).toMatchObject({ isValid: false, country: null })
})

test('a customer on Pro pays tier by tier, and the next invoice shows how', async () => {
  const { farebox, call } = await running()
  /** Of each tier: the checks that are billed and what they cost. */
  async function usage(): Promise<string[]> {
    await farebox.flush()
    const answer = await call('/billing/invoices/preview')
    const { invoice } = (await answer.json()) as { invoice: ReturnType<typeof invoiceJson> }
    return invoice.lines
      .filter(({ type }) => type === 'feature_usage')
      .map(({ quantity, billable, unit_price, amount }) => `${quantity}: ${billable} x ${unit_price} = ${amount}`)
  }

  for (let count = 0; count < 5; count++) expect((await call(`/v1/ibans/${GOOD}`)).status).toBe(200)
  expect(await usage()).toEqual(['5: 0 x null = 0.00'])
  for (let count = 0; count < 10; count++) await call(`/v1/ibans/${GOOD}`)
  expect(await usage()).toEqual(['15: 10 x 0.10 = 1.00'])
  const answer = await call(`/v1/ibans?${Array(8).fill('iban=GB29NWBK60161331926819').join('&')}`)
  expect(await answer.json()).toMatchObject({ checks: Array(8).fill({ isValid: true }) })
  expect(await usage()).toEqual(['15: 10 x 0.10 = 1.00', '8: 8 x 0.05 = 0.40'])
})

test('a request that names no IBAN, a wrong path and a stranger cost nothing', async () => {
  const { farebox, call } = await running()
  expect((await call('/v1/ibans')).status).toBe(400)
  expect((await call('/v1/nothing')).status).toBe(404)
  expect((await call('/')).status).toBe(200)
  expect((await call(`/v1/ibans/${GOOD}`, 'wrong')).status).toBe(401)
  await farebox.flush()
  expect((await farebox.events.list()).items).toEqual([])
})
