import type { invoiceJson } from '@farebox/core'
import { expect, onTestFinished, test } from 'vitest'
import { start } from '../src/application.ts'

async function running() {
  const { farebox, url, key, stop } = await start(0)
  onTestFinished(stop)
  const call = (path: string, apiKey = key) => fetch(url + path, { headers: { 'x-api-key': apiKey } })
  return { farebox, call }
}

test('the weather of now counts a call, and says how many are left', async () => {
  const { call } = await running()
  const answer = await call('/weather/Lisbon')
  expect(await answer.json()).toMatchObject({ place: 'Lisbon', day: 0, callsLeft: '2' })
  expect(answer.headers.get('ratelimit')).toMatch(/^"api_calls";r=2;t=/)
})

test('beyond the allowances each call and each day costs its price', async () => {
  const { farebox, call } = await running()
  for (let count = 0; count < 5; count++) expect((await call('/weather/Lisbon')).status).toBe(200)
  const forecast = await call('/weather/Lisbon/forecast?days=7')
  expect(await forecast.json()).toHaveLength(7)
  await farebox.flush()
  const preview = await call('/billing/invoices/preview')
  const { invoice } = (await preview.json()) as { invoice: ReturnType<typeof invoiceJson> }
  const usage = invoice.lines
    .filter(({ type }) => type === 'feature_usage')
    .map(({ feature, quantity, billable, amount }) => `${feature} ${quantity}: ${billable} = ${amount}`)
  expect(usage).toEqual(['api_calls 5: 2 = 0.02', 'forecast_days 7: 3 = 0.15'])
})

test('a customer sees what was used, and a stranger does not', async () => {
  const { call } = await running()
  await call('/weather/Lisbon')
  expect(await (await call('/billing/usage')).text()).toContain('forecast_days')
  expect((await call('/billing/usage', 'wrong')).status).toBe(401)
})

test('a wrong number of days, a wrong path, a stranger and the index cost nothing', async () => {
  const { farebox, call } = await running()
  expect((await call('/weather/Lisbon/forecast?days=many')).status).toBe(400)
  expect((await call('/weather')).status).toBe(404)
  expect((await call('/weather/Lisbon', 'wrong')).status).toBe(401)
  expect((await call('/', 'wrong')).status).toBe(200)
  await farebox.flush()
  expect((await farebox.events.list()).items).toEqual([])
})
