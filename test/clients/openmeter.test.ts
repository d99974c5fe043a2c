/** Clients that were written for others report usage here, without knowing it. */

import { CloudEvent, HTTP } from 'cloudevents'
import { OpenMeter } from '@openmeter/sdk'
import { expect, test } from 'vitest'
import { ADMIN, serve } from './serve.ts'

const used = async (farebox: Awaited<ReturnType<typeof serve>>['farebox'], customerId: string): Promise<string[]> =>
  (await farebox.usage.totals({ customerId })).map(({ feature, posted }) => `${feature} ${posted / 1_000_000n}`)

test("OpenMeter's SDK sends events one by one and in batches, and the usage shows them once", async () => {
  const { farebox, url } = await serve()
  const openmeter = new OpenMeter({ baseUrl: `${url}/billing`, apiKey: ADMIN })
  const event = { id: 'e1', source: 'worker', type: 'tokens', subject: 'ada', data: { value: 120, model: 'large' } }
  await openmeter.events.ingest(event)
  await openmeter.events.ingest(event)
  await openmeter.events.ingest([
    { ...event, id: 'e2', data: { value: 30 } },
    { ...event, id: 'e3', subject: 'bob', time: new Date() },
    { ...event, id: 'e1', source: 'another' },
  ])
  expect(await used(farebox, 'ada')).toEqual(['api_calls 0', 'tokens 270'])
  expect(await used(farebox, 'bob')).toEqual(['api_calls 0', 'tokens 120'])
  expect((await farebox.events.list()).items[0]).toMatchObject({ feature: 'tokens', properties: { model: 'large' } })
})

test("OpenMeter's SDK hears of events that are not accepted, and the others are counted", async () => {
  const { farebox, url } = await serve()
  const openmeter = new OpenMeter({ baseUrl: `${url}/billing`, apiKey: ADMIN })
  const good = { id: 'good', source: 'worker', type: 'tokens', subject: 'ada', data: { value: 1 } }
  await expect(openmeter.events.ingest([good, { ...good, id: 'bad', type: 'nonsense' }])).rejects.toThrow()
  expect(await used(farebox, 'ada')).toEqual(['api_calls 0', 'tokens 1'])
  const stranger = new OpenMeter({ baseUrl: `${url}/billing`, apiKey: 'a-key-that-nobody-gave-to-anybody-at-all' })
  await expect(stranger.events.ingest(good)).rejects.toThrow()
})

test.each(['structured', 'binary'] as const)("the CloudEvents SDK's HTTP binding reports in %s mode", async (mode) => {
  const { farebox, url } = await serve()
  const event = new CloudEvent({
    id: 'e-\u00e9-1',
    source: '/jobs/7',
    type: 'tokens',
    subject: 'ada',
    time: new Date(Date.now() - 1_000).toISOString(),
    datacontenttype: 'application/json',
    data: { value: '2.5', cached: true },
  })
  const { headers, body } = HTTP[mode](event)
  const send = () =>
    fetch(`${url}/billing/api/v1/events`, {
      method: 'POST',
      headers: { ...(headers as Record<string, string>), authorization: `Bearer ${ADMIN}` },
      body: body as string,
    })
  expect((await send()).status).toBe(204)
  expect((await send()).status).toBe(204)
  expect((await farebox.events.list()).items).toMatchObject([
    { customerId: 'ada', quantity: 2_500_000n, properties: { cached: true } },
  ])
})
