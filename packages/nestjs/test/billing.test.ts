/** The billing routes in an application of Nest: in front of everything of its own. */

import { Controller, Get, Post, UnauthorizedException } from '@nestjs/common'
import { describe, expect, test } from 'vitest'
import { billing, FareboxModule, Metered } from '../src/index.ts'
import { billed, LIMIT, PLATFORMS, serve, startFarebox } from './start.ts'

const ADMIN_KEY = 'the-key-of-an-operator-in-a-test'
const OPERATOR = { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' }

@Controller()
class Api {
  @Get('plain')
  plain(): string {
    return 'plain'
  }

  @Post('billing/admin/customers')
  @Metered('downloads')
  shadowed(): string {
    return 'never reached'
  }
}

const locked = {
  canActivate(): boolean {
    throw new UnauthorizedException()
  },
}

describe.each(PLATFORMS)('on %s', (platform) => {
  async function start(isLocked: boolean) {
    const farebox = startFarebox()
    const { port, send } = await serve({
      platform,
      controllers: [Api],
      module: FareboxModule.forRoot({ farebox }),
      prepare(app) {
        app.use('/billing', billing({ farebox, adminKey: ADMIN_KEY }))
        app.setGlobalPrefix('api')
        if (isLocked) app.useGlobalGuards(locked)
      },
    })
    const { key } = await farebox.apiKeys.create({ customerId: 'ada' })
    return { farebox, port, send, key: { 'x-api-key': key } }
  }

  test('a customer over the limit reads what was used, and that is not metered', async () => {
    const { farebox, send, key } = await start(false)
    for (let count = 0; count < LIMIT; count += 1) expect((await send('GET /api/plain', key)).status).toBe(200)
    expect((await send('GET /api/plain', key)).status).toBe(402)
    const usage = await send('GET /billing/usage', key)
    expect([usage.status, usage.headers.get('ratelimit')]).toEqual([200, null])
    expect(usage.body).toContain('api_calls')
    const events = await send('GET /billing/events?limit=1', key)
    expect(JSON.parse(events.body)).toMatchObject({ items: [{ route: '/api/plain' }] })
    expect((await send('GET /billing/usage', {})).status).toBe(401)
    expect(await billed(farebox)).toHaveLength(LIMIT)
  })

  test('an operator sends bodies, past the guards and prefix of the application and a route of the same path', async () => {
    const { farebox, port, send } = await start(true)
    const response = await fetch(`http://127.0.0.1:${port}/billing/admin/customers`, {
      method: 'POST',
      headers: OPERATOR,
      body: JSON.stringify({ id: 'grace', name: 'Grace é' }),
    })
    expect(response.status).toBeLessThan(300)
    expect(await response.json()).toMatchObject({ id: 'grace', name: 'Grace é' })
    expect((await send('GET /billing/admin/nothing', OPERATOR)).body).toContain('not_found')
    expect((await send('GET /api/plain', OPERATOR)).status).toBe(401)
    expect((await send('GET /billingx', OPERATOR)).status).toBe(404)
    expect(await billed(farebox)).toEqual([])
  })
})

test('a mistake in the options is told when billing() is called', () => {
  expect(() => billing({ farebox: startFarebox(), adminKey: 'short' })).toThrow(
    expect.objectContaining({ code: 'invalid_option' }),
  )
})
