/** Where the meter stands: behind every guard of a route, and before its interceptors, pipes and headers. */

import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import {
  type CallHandler,
  type CanActivate,
  Controller,
  type ExecutionContext,
  Get,
  Header,
  type NestInterceptor,
  Scope,
  Sse,
  UseGuards,
  UseInterceptors,
} from '@nestjs/common'
import { map, type Observable, of, take, timeout, timer } from 'rxjs'
import { describe, expect, test } from 'vitest'
import { Meter, Metered, type MeterContext, type NestRequest } from '../src/index.ts'
import { billed, identify, LIMIT, metered, type Platform, PLATFORMS, serve, type Serving, startFarebox } from './start.ts'

const ran: string[] = []

/** What is used here of Fastify. */
interface Hooked {
  addHook(name: 'onSend', hook: (request: unknown, reply: unknown, payload: unknown) => Promise<unknown>): unknown
}

/** On Fastify, Node's request is `raw`. */
type LeavingRequest = NestRequest & Pick<IncomingMessage, 'socket'> & { readonly raw?: IncomingMessage }

/** A controller's own guard that knows who is calling. */
class SignedIn implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<{ user?: string; headers: Record<string, string> }>()
    if (request.headers['x-user'] !== undefined) request.user = request.headers['x-user']
    return request.user !== undefined
  }
}

class Cache implements NestInterceptor {
  intercept(): Observable<string> {
    ran.push('cache')
    return of('from the cache')
  }
}

class Impatient implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(timeout(30))
  }
}

@Controller()
class Api {
  @Get('plain')
  plain(): string {
    ran.push('plain')
    return 'plain'
  }

  @Get('cached')
  @UseInterceptors(Cache)
  cached(): string {
    return 'fresh'
  }

  @Get('sized')
  @Header('Content-Length', '3')
  @Header('Cache-Control', 'public')
  sized(): string {
    return 'abc'
  }

  @Sse('events')
  events(): Observable<object> {
    ran.push('events')
    return timer(0, 5).pipe(
      take(2),
      map((data) => ({ data })),
    )
  }
}

@Controller('signed-in')
@UseGuards(SignedIn)
class SignedInApi {
  @Get()
  plain(): string {
    return 'plain'
  }
}

class Inherited {
  shared(): string {
    return 'shared'
  }
}
Get('shared')(Inherited.prototype, 'shared', Object.getOwnPropertyDescriptor(Inherited.prototype, 'shared') ?? {})

@Controller({ path: 'scoped', scope: Scope.REQUEST })
@Metered('downloads', { units: 2 })
class PerRequest extends Inherited {
  @Get('own')
  own(@Meter() meter: MeterContext): string {
    return meter.feature
  }
}

@Controller('unscoped')
class Once extends Inherited {}

describe.each(PLATFORMS)('on %s', (platform: Platform) => {
  async function start(options = {}, prepare?: Serving['prepare']) {
    ran.length = 0
    const farebox = startFarebox()
    const controllers = [Api, SignedInApi, PerRequest, Once]
    const served = await serve({ platform, controllers, module: metered(farebox, options), ...(prepare ? { prepare } : {}) })
    return { farebox, ...served }
  }

  test('the meter knows whom the guard of a controller has let in', async () => {
    const { farebox, send } = await start({ identify: ({ user }: { user?: string }) => user })
    expect((await send('GET /signed-in', { 'x-user': 'grace' })).status).toBe(200)
    expect((await send('GET /signed-in', {})).status).toBe(403)
    await farebox.flush()
    expect((await farebox.events.list()).items.map(({ customerId }) => customerId)).toEqual(['grace'])
  })

  test('a controller made for each request, and a method that controllers share, are metered as each controller says', async () => {
    const { farebox, send } = await start()
    expect((await send('GET /scoped/own')).body).toBe('downloads')
    expect((await send('GET /scoped/shared')).body).toBe('shared')
    expect((await send('GET /unscoped/shared')).body).toBe('shared')
    expect(await billed(farebox)).toEqual([
      'downloads 2 /scoped/own',
      'downloads 2 /scoped/shared',
      'api_calls 1 /unscoped/shared',
    ])
  })

  test('what a cache answers is metered too, and refused before the cache is asked', async () => {
    const { farebox, send } = await start()
    for (let count = 0; count < LIMIT; count += 1) expect((await send('GET /cached')).body).toBe('from the cache')
    expect((await send('GET /cached')).status).toBe(402)
    expect(ran).toEqual(Array(LIMIT).fill('cache'))
    expect(await billed(farebox)).toHaveLength(LIMIT)
  })

  test('headers that a route gives its answers do not spoil a refusal', async () => {
    const { send } = await start()
    for (let count = 0; count < LIMIT; count += 1) expect((await send('GET /sized')).body).toBe('abc')
    const { status, headers, body } = await send('GET /sized')
    expect([status, headers.get('cache-control')]).toEqual([402, 'no-store'])
    expect(JSON.parse(body)).toMatchObject({ code: 'allowance_exhausted' })
  })

  test('an event stream waits for its admission: it has the headers of the allowance, and is refused with 402', async () => {
    const slowly = async (request: Parameters<typeof identify>[0]) => {
      await new Promise((resolve) => setTimeout(resolve, 20))
      return identify(request)
    }
    const { port, send } = await start({ identify: slowly }, (app) => {
      app.useGlobalInterceptors(new Impatient())
      if (platform === 'express') return
      // A hook that takes its time, as compression does: the refusal is on its way for a while.
      const fastify: Hooked = app.getHttpAdapter().getInstance()
      fastify.addHook('onSend', async (_request, _reply, payload) => {
        await new Promise((resolve) => setTimeout(resolve, 20))
        return payload
      })
    })
    for (let count = 0; count < LIMIT; count += 1) {
      const leaving = new AbortController()
      const response = await fetch(`http://127.0.0.1:${port}/events`, {
        headers: { 'x-customer': 'ada' },
        signal: leaving.signal,
      })
      expect(response.headers.get('content-type')).toBe('text/event-stream')
      expect(response.headers.get('ratelimit')).toContain(`"api_calls";r=${LIMIT - count - 1}`)
      leaving.abort()
    }
    const { status, headers, body } = await send('GET /events')
    expect([status, headers.get('content-type')]).toEqual([402, 'application/problem+json'])
    expect(JSON.parse(body)).toMatchObject({ code: 'allowance_exhausted' })
    expect(ran).toEqual(Array(LIMIT).fill('events'))
    // The application is still there.
    expect((await send('GET /plain')).status).toBe(402)
  })

  test('a client that left while its admission was decided gets no work done, and is not billed', async () => {
    const leaving = new AbortController()
    const { farebox, port, send } = await start({
      identify: async (request: LeavingRequest) => {
        if (request.headers['x-leaves'] !== undefined) {
          leaving.abort()
          await once((request.raw ?? request).socket, 'close')
        }
        return identify(request)
      },
    })
    const headers = { 'x-customer': 'ada', 'x-leaves': 'yes' }
    await expect(fetch(`http://127.0.0.1:${port}/plain`, { headers, signal: leaving.signal })).rejects.toThrow()
    for (let count = 0; count < LIMIT; count += 1) expect((await send('GET /plain')).status).toBe(200)
    expect((await send('GET /plain')).status).toBe(402)
    expect(ran).toEqual(Array(LIMIT).fill('plain'))
    expect(await billed(farebox)).toHaveLength(LIMIT)
  })
})
