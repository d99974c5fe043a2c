/** A story over HTTP with a moved clock: two customers, two months, from the first request to invoices that equal the log. */

import type { AddressInfo } from 'node:net'
import { createFarebox, defineCatalog, formatMoney, type Store, testClock } from '@farebox/core'
import { meter } from '@farebox/express'
import express from 'express'
import { expect, it, onTestFinished } from 'vitest'
import { STORES } from './stores.ts'

const JANUARY = Date.UTC(2026, 0, 1)
const FEBRUARY = Date.UTC(2026, 1, 1)
const MARCH = Date.UTC(2026, 2, 1)

const catalog = defineCatalog({
  currency: 'EUR',
  features: { api_calls: { type: 'metered', name: 'API calls', default: true }, exports: { type: 'metered', name: 'Exports' } },
  plans: {
    free: { price: '0', interval: 'month', default: true, features: { api_calls: { included: 3 } } },
    team: {
      price: '19.00',
      interval: 'month',
      features: {
        api_calls: { included: 5, overage: { model: 'graduated', tiers: [{ upTo: 2, price: '0.40' }, { price: '0.25' }] } },
        exports: { overage: { model: 'package', size: 2, price: '1.50' } },
      },
    },
  },
})

const clock = testClock(JANUARY)

/** An API of its own for the length of the test. */
function serve(store: Store) {
  clock.set(JANUARY)
  const farebox = createFarebox({ catalog, store, clock })
  const app = express()
  app.use(meter({ farebox }))
  app.get('/hello', (_req, res) => void res.send('hello'))
  app.get('/export', meter('exports', { farebox }), (_req, res) => void res.send('a file'))
  app.get('/broken', () => {
    throw new Error('a defect of the application')
  })
  app.use(((_error, _req, res, _next) => void res.status(500).send('sorry')) satisfies express.ErrorRequestHandler)
  const server = app.listen(0)
  const { port } = server.address() as AddressInfo
  onTestFinished(async () => {
    server.close()
    await farebox.stop()
  })
  /** Statuses of so many requests, one after the other. */
  async function ask(key: string, path: string, times = 1): Promise<number[]> {
    const statuses: number[] = []
    for (let i = 0; i < times; i += 1) {
      const answer = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { 'x-api-key': key } })
      await answer.text()
      statuses.push(answer.status)
    }
    return statuses
  }
  return { farebox, ask }
}

it.each(STORES)(
  'serves what each plan allows, renews it with the month, and bills what the log holds, on $name',
  async ({ database }) => {
    const { farebox, ask } = serve(database().store())
    const ada = (await farebox.apiKeys.create({ customerId: 'ada' })).key
    const team = (await farebox.apiKeys.create({ customerId: 'team_7' })).key
    await farebox.subscriptions.create({ customerId: 'team_7', plan: 'team', startsAt: JANUARY })

    // January: the free plan stops after three, failures are not counted, unknown paths stay the application's own.
    expect(await ask(ada, '/hello', 2)).toEqual([200, 200])
    expect(await ask(ada, '/broken')).toEqual([500])
    expect(await ask(ada, '/hello', 2)).toEqual([200, 402])
    expect(await ask(ada, '/nowhere')).toEqual([404])
    expect(await ask(ada, '/export')).toEqual([403])
    expect(await ask('fb_no_key', '/hello')).toEqual([401])
    expect(await ask(team, '/hello', 9)).toEqual(Array(9).fill(200))
    expect(await ask(team, '/export', 3)).toEqual([200, 200, 200])

    // February: the allowance is back, and January is billed.
    clock.set(FEBRUARY)
    expect(await ask(ada, '/hello')).toEqual([200])
    const january = await farebox.closePeriods()
    const lines = january.invoices.map(({ customerId, total, lines: all }) => [
      customerId,
      formatMoney(total),
      all.map((line) => `${line.description} ${formatMoney(line.amount)}`),
    ])
    expect(lines).toEqual([
      ['team_7', '19.00', ['team 19.00']],
      ['ada', '0.00', ['API calls 0.00']],
      // 9 calls, 5 included: 2 at 0.40 and 2 at 0.25; 3 exports are two packages.
      ['team_7', '23.30', ['team 19.00', 'API calls 0.80', 'API calls 0.50', 'Exports 3.00']],
    ])

    // March: nothing was used but one call; the books still agree.
    clock.set(MARCH)
    const february = await farebox.closePeriods()
    expect(february.invoices.map(({ customerId, total }) => [customerId, formatMoney(total)])).toEqual([
      ['ada', '0.00'],
      ['team_7', '19.00'],
    ])
    expect(await farebox.verify()).toEqual({ ok: true, events: 16, differences: [] })
  },
)
