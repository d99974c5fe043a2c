/** The module on both platforms: what is metered, refused, skipped and billed. */

import {
  type ArgumentsHost,
  BadRequestException,
  type CanActivate,
  Catch,
  Controller,
  type ExceptionFilter,
  Get,
  HttpCode,
  Param,
  ParseIntPipe,
  Post,
  Res,
  Sse,
  StreamableFile,
  UnauthorizedException,
  UseGuards,
  VersioningType,
} from '@nestjs/common'
import { HttpAdapterHost } from '@nestjs/core'
import { interval, map, take } from 'rxjs'
import { describe, expect, test } from 'vitest'
import { Meter, Metered, type MeterContext, SkipMeter } from '../src/index.ts'
import { billed, LIMIT, metered, PLATFORMS, serve, startFarebox } from './start.ts'

class Locked implements CanActivate {
  canActivate(): boolean {
    throw new UnauthorizedException()
  }
}

@Controller()
class Api {
  @Get('plain/:id')
  plain(@Param('id') id: string, @Meter() meter: MeterContext | undefined): object {
    return { id, customer: meter?.customerId, feature: meter?.feature, remaining: meter?.remaining }
  }

  @Get('files/:id')
  @Metered('downloads', { units: 4 })
  file(): string {
    return 'file'
  }

  @Get('measured')
  @Metered('downloads')
  measured(@Meter() meter: MeterContext): string {
    meter.add('2')
    return 'measured'
  }

  @Get('free')
  @SkipMeter()
  free(@Meter() meter: MeterContext | undefined): string {
    return meter === undefined ? 'unmetered' : 'metered'
  }

  @Get('number/:n')
  number(@Param('n', ParseIntPipe) n: number): string {
    return String(n)
  }

  @Get('locked')
  @UseGuards(Locked)
  locked(): string {
    return 'unlocked'
  }

  @Get('refused')
  refused(): never {
    throw new BadRequestException('no')
  }

  @Get('broken')
  broken(): never {
    throw new Error('thrown')
  }

  @Post('made')
  @HttpCode(201)
  made(): object {
    return { made: true }
  }

  @Get('raw')
  raw(@Res() response: { send(body: string): unknown }): void {
    response.send('raw')
  }

  @Get('stream')
  stream(): StreamableFile {
    return new StreamableFile(Buffer.from('streamed'))
  }

  @Sse('events')
  events(): object {
    return interval(5).pipe(
      take(3),
      map((data) => ({ data })),
    )
  }
}

@Controller('skipped')
@SkipMeter()
class Skipped {
  @Get()
  none(): string {
    return 'none'
  }

  @Get('but-this')
  @Metered()
  one(): string {
    return 'one'
  }
}

@Controller('archive')
@Metered('downloads', { units: 3 })
class Files {
  @Get('same')
  same(): string {
    return 'same'
  }

  @Get('own')
  @Metered('api_calls')
  own(): string {
    return 'own'
  }
}

@Catch()
class EverythingIs500 implements ExceptionFilter {
  readonly #host: HttpAdapterHost

  constructor(host: HttpAdapterHost) {
    this.#host = host
  }

  catch(_error: unknown, host: ArgumentsHost): void {
    this.#host.httpAdapter.reply(host.switchToHttp().getResponse(), 'mapped', 500)
  }
}

describe.each(PLATFORMS)('on %s', (platform) => {
  const start = async (options = {}, prepare?: Parameters<typeof serve>[0]['prepare']) => {
    const farebox = startFarebox()
    const served = await serve({
      platform,
      controllers: [Api, Skipped, Files],
      module: metered(farebox, options),
      ...(prepare === undefined ? {} : { prepare }),
    })
    return { farebox, ...served }
  }

  test('every route is metered, with its pattern, and the handler sees its metering', async () => {
    const { farebox, send } = await start()
    const { status, headers, body } = await send('GET /plain/7')
    expect([status, JSON.parse(body)]).toEqual([200, { id: '7', customer: 'ada', feature: 'api_calls', remaining: '2' }])
    expect(headers.get('ratelimit')).toMatch(/^"api_calls";r=2;t=\d+$/)
    await send('GET /nothing')
    await send('DELETE /plain/7')
    expect(await billed(farebox)).toEqual(['api_calls 1 /plain/:id'])
  })

  test('a request beyond the allowance gets the problem document, and its handler does not run', async () => {
    const { farebox, send } = await start({}, (app) => app.useGlobalFilters(new EverythingIs500(app.get(HttpAdapterHost))))
    for (let i = 0; i < LIMIT; i += 1) await send('GET /plain/1')
    const { status, headers, body } = await send('GET /plain/1')
    expect([status, headers.get('content-type'), headers.get('cache-control')]).toEqual([
      402,
      'application/problem+json',
      'no-store',
    ])
    expect(JSON.parse(body)).toMatchObject({ status: 402, code: 'allowance_exhausted', feature: 'api_calls' })
    expect((await send('HEAD /plain/1')).status).toBe(402)
    expect((await send('GET /free')).body).toBe('unmetered')
    expect((await send('GET /nothing')).status).toBe(500)
    expect(await billed(farebox)).toHaveLength(LIMIT)
  })

  test('the meter of a method comes before that of its controller, and that before the module', async () => {
    const { farebox, send } = await start()
    for (const path of ['/files/7', '/archive/same', '/archive/own', '/measured', '/skipped', '/skipped/but-this'])
      expect((await send(`GET ${path}`)).status).toBe(200)
    expect((await billed(farebox)).toSorted()).toEqual([
      'api_calls 1 /archive/own',
      'api_calls 1 /skipped/but-this',
      'downloads 2 /measured',
      'downloads 3 /archive/same',
      'downloads 4 /files/:id',
    ])
  })

  test('what fails is not billed, and who is not let in is not even admitted', async () => {
    const { farebox, send } = await start()
    const statuses = []
    for (const path of ['/number/x', '/refused', '/broken', '/locked']) statuses.push((await send(`GET ${path}`)).status)
    expect(statuses).toEqual([400, 400, 500, 401])
    // A stranger behind the lock gets the lock's answer, not the meter's.
    expect((await send('GET /locked', {})).status).toBe(401)
    expect((await send('GET /locked', {})).body).not.toContain('unidentified_customer')
    expect((await send('GET /plain/1', {})).body).toContain('unidentified_customer')
    expect(await billed(farebox)).toEqual([])
    for (let i = 0; i < LIMIT; i += 1) expect((await send('GET /plain/1')).status).toBe(200)
  })

  test.each(['POST /made', 'GET /raw', 'GET /stream', 'HEAD /plain/2'])('%s is billed once', async (request) => {
    const { farebox, send } = await start()
    expect((await send(request)).status).toBeLessThan(300)
    await expect.poll(() => billed(farebox)).toHaveLength(1)
    expect(await billed(farebox)).toHaveLength(1)
  })

  test('server-sent events are billed once, when the client leaves', async () => {
    const { farebox, port } = await start()
    const leaving = new AbortController()
    const response = await fetch(`http://127.0.0.1:${port}/events`, {
      headers: { 'x-customer': 'ada' },
      signal: leaving.signal,
    })
    expect(response.headers.get('content-type')).toContain('text/event-stream')
    // The first bytes are there while the stream goes on.
    expect((await response.body?.getReader().read())?.done).toBe(false)
    expect(await billed(farebox)).toEqual([])
    leaving.abort()
    await expect.poll(() => billed(farebox)).toEqual(['api_calls 1 /events'])
  })

  test('prefixes and versions are part of the route', async () => {
    const { farebox, send } = await start({}, (app) => {
      app.setGlobalPrefix('api')
      app.enableVersioning({ type: VersioningType.URI, defaultVersion: '2' })
    })
    expect((await send('GET /api/v2/plain/1')).status).toBe(200)
    expect(await billed(farebox)).toEqual(['api_calls 1 /api/v2/plain/:id'])
  })
})
