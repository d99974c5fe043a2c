/** How the module is given its options, and what ends the start of an application. */

import { createFarebox } from '@farebox/core'
import { sqlite } from '@farebox/core/sqlite'
import { Controller, type DynamicModule, Get, type Type } from '@nestjs/common'
import { ExternalContextCreator, NestFactory } from '@nestjs/core'
import { describe, expect, onTestFinished, test } from 'vitest'
import { FareboxModule, type FareboxModuleOptions, type FareboxOptionsFactory, Metered, SkipMeter } from '../src/index.ts'
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
function controllerWith(decorator: ReturnType<typeof Metered>, path = ''): Type {
  class Marked {
    root(): string {
      return 'root'
    }
  }
  const descriptor = Object.getOwnPropertyDescriptor(Marked.prototype, 'root') as TypedPropertyDescriptor<() => string>
  Get(path)(Marked.prototype, 'root', descriptor)
  decorator(Marked.prototype, 'root', descriptor)
  Controller()(Marked)
  return Marked
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

test('forRootAsync without a way to the options ends the start', async () => {
  const started = serve({ platform: 'express', controllers: [Api], module: FareboxModule.forRootAsync({}) })
  await expect(started).rejects.toThrow(/dependencies/)
})

test.each(['graphql', 'rpc', 'ws'])('a call that is not HTTP but %s is left alone', async (type) => {
  const farebox = startFarebox()
  const { app } = await serve({ platform: 'express', controllers: [Api], module: metered(farebox) })
  const api = app.get(Api)
  // How Nest's packages for other transports call a method with its guards, and with arguments of their own.
  const external = app.get(ExternalContextCreator, { strict: false })
  const options = { guards: true, interceptors: true, filters: true }
  const call = external.create(api, api.root, 'root', undefined, undefined, undefined, undefined, options, type)
  expect(await call(undefined, {}, { req: undefined })).toBe('root')
  expect(await billed(farebox)).toEqual([])
})

test('an application without HTTP starts', async () => {
  const farebox = startFarebox()
  class AppModule {}
  const root: DynamicModule = { module: AppModule, imports: [metered(farebox)], controllers: [Api] }
  const app = await NestFactory.createApplicationContext(root, { logger: false, abortOnError: false })
  expect(app.get(Api).root()).toBe('root')
  await app.close()
})

test('applications that share a controller have their own meters, and one without a module has none', async () => {
  const [one, other] = [startFarebox(), startFarebox()]
  const serving = { platform: 'express', controllers: [Api] } as const
  const first = await serve({ ...serving, module: metered(one) })
  const second = await serve({ ...serving, module: metered(other) })
  class Unmetered {}
  const third = await serve({ ...serving, module: { module: Unmetered } })
  for (const { send } of [first, second, second, third]) expect((await send('GET /')).status).toBe(200)
  expect(await billed(one)).toHaveLength(1)
  expect(await billed(other)).toHaveLength(2)
})

test('with global: false only the routes that say so are metered', async () => {
  const farebox = startFarebox()
  const controllers = [controllerWith(Metered('downloads'), 'marked'), Api]
  const { send } = await serve({ platform: 'express', controllers, module: metered(farebox, { global: false }) })
  expect((await send('GET /')).status).toBe(200)
  expect((await send('GET /marked')).status).toBe(200)
  expect(await billed(farebox)).toEqual(['downloads 1 /marked'])
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
