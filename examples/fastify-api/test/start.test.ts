import { invoiceJson } from '@farebox/core'
import { expect, onTestFinished, test } from 'vitest'
import { CUSTOMER, start } from '../src/server.ts'

async function running() {
  const { farebox, url, stop } = await start(0)
  onTestFinished(stop)
  const put = (code: string, customer: string, body: unknown = { target: 'https://example.com/' }) =>
    fetch(`${url}/links/${code}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json', 'x-customer': customer },
      body: JSON.stringify(body),
    })
  const follow = (code: string) => fetch(`${url}/${code}`, { redirect: 'manual' })
  return { farebox, put, follow }
}

test('a link leads to its target, and each redirect counts for the one whose link it is', async () => {
  const { farebox, put, follow } = await running()
  expect((await put('hello', CUSTOMER)).status).toBe(201)
  const answer = await follow('hello')
  expect([answer.status, answer.headers.get('location')]).toEqual([302, 'https://example.com/'])
  expect(answer.headers.get('ratelimit')).toMatch(/^"redirects";r=9;t=/)
  await farebox.flush()
  expect((await farebox.events.list()).items).toMatchObject([{ customerId: CUSTOMER, feature: 'redirects', route: '/:code' }])
})

test('beyond the allowance a package is billed when it is begun', async () => {
  const { farebox, put, follow } = await running()
  async function usage(): Promise<string[]> {
    await farebox.flush()
    const preview = await farebox.invoices.preview(CUSTOMER)
    const lines = preview === null ? [] : invoiceJson(preview).lines
    return lines.filter(({ type }) => type === 'feature_usage').map(({ quantity, amount }) => `${quantity}: ${amount}`)
  }
  await put('hello', CUSTOMER)
  for (let count = 0; count < 10; count++) await follow('hello')
  expect(await usage()).toEqual(['10: 0.00'])
  await follow('hello')
  expect(await usage()).toEqual(['11: 2.00'])
  await follow('hello')
  expect(await usage()).toEqual(['12: 2.00'])
})

test("on the free plan the links of a customer stop at the allowance, and another's go on", async () => {
  const { farebox, put, follow } = await running()
  await put('free', 'somebody')
  await put('paid', CUSTOMER)
  await farebox.usage.track({ customerId: 'somebody', feature: 'redirects', value: 100 })
  const refused = await follow('free')
  expect([refused.status, await refused.json()]).toMatchObject([402, { code: 'allowance_exhausted', plan: 'free' }])
  expect((await follow('paid')).status).toBe(302)
})

test('making links and following those that nobody made cost nothing', async () => {
  const { farebox, put, follow } = await running()
  expect((await put('hello', CUSTOMER, { target: 'no url' })).status).toBe(400)
  expect((await follow('unknown')).status).toBe(404)
  await farebox.flush()
  expect((await farebox.events.list()).items).toEqual([])
})
