/** How the module is given its options, and what ends the start of an application. */

import { createFarebox } from '@farebox/core'
import { sqlite } from '@farebox/core/sqlite'
import { type CallHandler, Controller, type DynamicModule, type ExecutionContext, Get, type Type } from '@nestjs/common'
import { DiscoveryService, Reflector } from '@nestjs/core'
import { of } from 'rxjs'
import { describe, expect, onTestFinished, test } from 'vitest'
import { FareboxModule, type FareboxModuleOptions, type FareboxOptionsFactory, Metered, SkipMeter } from '../src/index.ts'
import { MeterInterceptor } from '../src/meter-interceptor.ts'
import { billed, catalog, identify, metered, PLATFORMS, serve, startFarebox } from './start.ts'

@Controller()
class Api {
  @Get()
  root(): string {
    return 'root'
  }
}

describe.each(PLATFORMS)('on %s', (platform) => {
  test.each(['useFactory', 'useClass', 'useExisting'] as const)('options come from %s', async (way) => {
    const farebox = startFarebox()
    const options = { farebox, identify }
    class Factory implements FareboxOptionsFactory {
      async createFareboxOptions(): Promise<FareboxModuleOptions> {
        return options
      }
    }
    class Elsewhere {}
    const elsewhere: DynamicModule = { module: Elsewhere, providers: [Factory], exports: [Factory] }
    const ways = {
      useFactory: {
        imports: [elsewhere],
        inject: [Factory],
        useFactory: (factory: Factory) => factory.createFareboxOptions(),
      },
      useClass: { useClass: Factory },
      useExisting: { imports: [elsewhere], useExisting: Factory },
    }
    const { send } = await serve({ platform, controllers: [Api], module: FareboxModule.forRootAsync(ways[way]) })
    expect((await send('GET /')).status).toBe(200)
    expect(await billed(farebox)).toEqual(['api_calls 1 /'])
  })

  test('without one in the options, the Farebox of the process meters', async () => {
    const farebox = createFarebox({ catalog, store: sqlite({ path: ':memory:' }) })
    onTestFinished(() => farebox.stop())
    const { send } = await serve({ platform, controllers: [Api], module: FareboxModule.forRoot({ identify }) })
    await send('GET /')
    expect(await billed(farebox)).toEqual(['api_calls 1 /'])
  })

  test('two modules count a request once', async () => {
    const farebox = startFarebox()
    const { send } = await serve({ platform, controllers: [Api], module: metered(farebox), imports: [metered(farebox)] })
    await send('GET /')
    expect(await billed(farebox)).toEqual(['api_calls 1 /'])
  })
})

/** A controller with one route that says this. */
function controllerWith(decorator: ReturnType<typeof Metered>): Type {
  class Mistaken {
    root(): string {
      return 'root'
    }
  }
  const descriptor = Object.getOwnPropertyDescriptor(Mistaken.prototype, 'root') as TypedPropertyDescriptor<() => string>
  Get()(Mistaken.prototype, 'root', descriptor)
  decorator(Mistaken.prototype, 'root', descriptor)
  Controller()(Mistaken)
  return Mistaken
}

test.each([
  ['unknown_feature', Metered('api_cals')],
  ['invalid_option', Metered({ unit: 1 } as never)],
  ['invalid_quantity', Metered({ units: -1 })],
])('a mistake in a decorator ends the start: %s', async (code, decorator) => {
  const farebox = startFarebox()
  const started = serve({ platform: 'express', controllers: [controllerWith(decorator)], module: metered(farebox) })
  await expect(started).rejects.toMatchObject({ code })
})

test('no Farebox at all ends the start', async () => {
  const started = serve({ platform: 'express', controllers: [Api], module: FareboxModule.forRoot() })
  await expect(started).rejects.toMatchObject({ code: 'no_farebox' })
})

test('forRootAsync says what it needs', () => {
  expect(() => FareboxModule.forRootAsync({})).toThrow(/useFactory, useClass or useExisting/)
})

test('what is not HTTP is left alone', async () => {
  const farebox = startFarebox()
  const { app } = await serve({ platform: 'express', controllers: [Api], module: metered(farebox) })
  const interceptor = new MeterInterceptor(farebox, {}, app.get(DiscoveryService), new Reflector())
  for (const type of ['rpc', 'ws', 'graphql']) {
    const context = { getType: () => type } as ExecutionContext
    const next: CallHandler = { handle: () => of(type) }
    const seen: unknown[] = []
    const results = await interceptor.intercept(context, next)
    results.subscribe((value) => seen.push(value))
    expect(seen).toEqual([type])
  }
  expect(await billed(farebox)).toEqual([])
})

test('a catalog without a default feature is no mistake where every route names one or is skipped', async () => {
  const farebox = startFarebox()
  const noDefault = {
    createGate: ((feature, options) => {
      if (feature === undefined) throw new Error('asked for the default feature')
      return farebox.createGate(feature, options)
    }) satisfies typeof farebox.createGate,
  }
  const controllers = [controllerWith(Metered('downloads'))]
  const { send } = await serve({
    platform: 'express',
    controllers,
    module: FareboxModule.forRoot({ farebox: noDefault, identify }),
  })
  expect((await send('GET /')).status).toBe(200)
  const skipping = [controllerWith(SkipMeter())]
  const other = await serve({ platform: 'express', controllers: skipping, module: FareboxModule.forRoot({ farebox: noDefault }) })
  expect((await other.send('GET /')).status).toBe(200)
  expect(await billed(farebox)).toEqual(['downloads 1 /'])
})
