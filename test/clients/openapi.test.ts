/** The OpenAPI document: valid, and enough to make a client of. */

import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { validate } from '@apidevtools/swagger-parser'
import { billing } from '@farebox/core/billing'
import createClient from 'openapi-fetch'
import { expect, onTestFinished, test } from 'vitest'
import type { paths } from './billing-routes.ts'
import { ADMIN, serve } from './serve.ts'

interface OpenApi {
  readonly openapi: string
  readonly paths: Record<string, Record<string, { operationId: string; security?: object[]; responses: Record<string, unknown> }>>
}

const GENERATED = fileURLToPath(new URL('billing-routes.ts', import.meta.url))
const GENERATOR = path.join(
  path.dirname(createRequire(new URL('generator/package.json', import.meta.url)).resolve('openapi-typescript/package.json')),
  'bin/cli.js',
)

/** Some of those that programs name. */
const SHAPES = [
  'Usage',
  'UsageEvent',
  'Charge',
  'Entitlement',
  'Subscription',
  'SubscriptionChange',
  'PriceList',
  'Explanation',
  'Proof',
  'Invoice',
  'InvoiceLine',
  'Problem',
  'CloudEvent',
  'EventInput',
]

test('the document is valid, says who may call what, and names every shape', async () => {
  const { farebox, url } = await serve()
  const served = (await (await fetch(`${url}/billing/openapi.json`)).json()) as Record<string, unknown>
  expect(served).toEqual(JSON.parse(JSON.stringify(billing({ farebox }).document)))
  const document = (await validate(structuredClone(served) as never)) as object as OpenApi
  expect(document.openapi).toBe('3.1.0')
  const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods))
  expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length)
  expect(operations.length).toBeGreaterThan(80)
  for (const { security, responses } of operations) {
    expect(security?.length).toBeGreaterThan(0)
    expect(Object.keys(responses)).toContain('default')
  }
  expect(Object.keys((served['components'] as { schemas: object }).schemas)).toEqual(expect.arrayContaining(SHAPES) as string[])
})

test('the page of the routes lists those of the document, and no others', async () => {
  const { farebox } = await serve()
  const { paths: described } = billing({ farebox }).document as object as OpenApi
  const page = readFileSync(fileURLToPath(new URL('../../docs/billing-routes.md', import.meta.url)), 'utf8')
  const listed = [...page.matchAll(/^\| `((?:GET|POST|PUT|DELETE) [^`]+)`/gm)].map((match) =>
    (match[1] ?? '').replace('…', '/admin/customers/{customer}'),
  )
  const served = Object.entries(described).flatMap(([route, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${route}`),
  )
  expect(listed.toSorted()).toEqual(served.toSorted())
})

test('the types that are used here are made of it', async () => {
  const { farebox } = await serve()
  const folder = mkdtempSync(path.join(tmpdir(), 'farebox-openapi-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const [document, types] = [path.join(folder, 'openapi.json'), path.join(folder, 'billing-routes.ts')]
  writeFileSync(document, JSON.stringify(billing({ farebox }).document))
  const { status, stderr } = spawnSync(process.execPath, [GENERATOR, document, '--output', types], { encoding: 'utf8' })
  expect([status, stderr]).toEqual([0, ''])
  if (process.env['FAREBOX_UPDATE'] !== undefined) copyFileSync(types, GENERATED)
  expect(readFileSync(GENERATED, 'utf8')).toBe(readFileSync(types, 'utf8'))
})

test('a generated client makes the calls of the quickstart', async () => {
  const { url } = await serve()
  const operator = createClient<paths>({ baseUrl: `${url}/billing`, headers: { authorization: `Bearer ${ADMIN}` } })
  const made = await operator.POST('/admin/customers', { body: { id: 'user_123', name: 'Ada' } })
  expect([made.response.status, made.data?.name]).toEqual([201, 'Ada'])
  expect((await operator.POST('/admin/subscriptions', { body: { customer: 'user_123', plan: 'pro' } })).data?.plan).toBe('pro')
  const key = (await operator.POST('/admin/api-keys', { body: { customer: 'user_123' } })).data?.key ?? ''
  expect((await fetch(`${url}/hello`, { headers: { 'x-api-key': key } })).status).toBe(200)
  const reported = await operator.POST('/admin/events', { body: { customer: 'user_123', feature: 'tokens', value: 12 } })
  expect(reported.data?.result).toBe('recorded')

  const customer = createClient<paths>({ baseUrl: `${url}/billing`, headers: { 'x-api-key': key } })
  const usage = await customer.GET('/usage')
  expect(usage.data?.features.map(({ feature, used, remaining }) => [feature, used, remaining])).toEqual([
    ['api_calls', '1', '99'],
    ['tokens', '12', null],
  ])
  const events = await customer.GET('/events', { params: { query: { feature: 'api_calls', limit: 10 } } })
  expect(events.data?.items).toMatchObject([{ route: '/hello', quantity: '1' }])
  expect((await customer.GET('/invoices/preview')).data?.invoice?.customer).toBe('user_123')
  const missing = await customer.GET('/invoices/{id}', { params: { path: { id: 'FB-000009' } } })
  expect(missing.error).toMatchObject({ code: 'not_found', status: 404 })
  expect((await operator.POST('/admin/close', { body: {} })).data?.invoices).toEqual(['FB-000001'])
  expect((await customer.GET('/invoices')).data?.items).toHaveLength(1)
})

test('a generated client previews a change of plan, makes it, and asks why the invoice is what it is', async () => {
  const { farebox, url } = await serve()
  await farebox.subscriptions.create({ customerId: 'user_123', plan: 'pro' })
  await farebox.closePeriods()
  const { key } = await farebox.apiKeys.create({ customerId: 'user_123' })
  const customer = createClient<paths>({ baseUrl: `${url}/billing`, headers: { 'x-api-key': key } })
  for (let calls = 0; calls < 3; calls += 1)
    expect((await fetch(`${url}/hello`, { headers: { 'x-api-key': key } })).status).toBe(200)
  await farebox.flush()

  const { data: list } = await customer.GET('/plans')
  expect(list?.plans.map(({ code, price, interval }) => [code, price, interval])).toContainEqual(['team', '80', 'month'])
  const { data: preview } = await customer.POST('/subscription/change/preview', { body: { plan: 'team' } })
  expect(preview?.subscription.plan).toBe('team')
  expect(preview?.invoice?.lines.map(({ type }) => type)).toContain('proration_charge')
  expect((await customer.GET('/subscription')).data?.plan).toBe('pro')
  const { data: change } = await customer.POST('/subscription/change', { body: { plan: 'team' } })
  expect([change?.subscription.plan, change?.invoice?.total]).toEqual(['team', preview?.invoice?.total])

  const id = change?.invoice?.number ?? ''
  const line = change?.invoice?.lines.find(({ feature }) => feature === 'api_calls')?.id ?? ''
  const { data: explained } = await customer.GET('/invoices/{id}/lines/{line}', { params: { path: { id, line } } })
  expect(explained?.sentences[0]).toMatch(/^3 api_calls were used from /)
  expect(explained?.events.items.map(({ route }) => route)).toEqual(['/hello', '/hello', '/hello'])
  const [event] = explained?.events.items ?? []
  const { data: proof } = await customer.GET('/invoices/{id}/events/{seq}/proof', {
    params: { path: { id, seq: event?.seq ?? 0 } },
  })
  expect([proof?.event.key, proof?.seal]).toEqual([event?.key, change?.invoice?.seal])
  const entitled = await customer.GET('/entitlements/{feature}', {
    params: { path: { feature: 'api_calls' }, query: { value: '2.5' } },
  })
  expect(entitled.data).toMatchObject({ allowed: true, plan: 'team' })
  const refused = await customer.POST('/subscription/coupons', { body: { coupon: 'none' } })
  expect(refused.error?.code).toBe('unknown_coupon')
})
