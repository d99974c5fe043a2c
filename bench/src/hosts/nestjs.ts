/** NestJS 12 on Express. Decorators are applied by calls, because Node takes types away by itself, but not decorators. */

import 'reflect-metadata'
import { FareboxModule } from '@farebox/nestjs'
import { Controller, type DynamicModule, type ExecutionContext, Get, Param } from '@nestjs/common'
import { APP_GUARD, NestFactory } from '@nestjs/core'
import { ThrottlerGuard, ThrottlerModule } from '@nestjs/throttler'
import { type Hosted, item, keyOf, nothing, startFarebox, UNREACHABLE, type Variants } from './host.ts'

export const NESTJS: Variants = {
  bare: () => host({}),
  'farebox full': (file) => farebox(file, 'full'),
  'farebox process': (file) => farebox(file, 'process'),
  '@nestjs/throttler, memory': () =>
    host({
      imports: [
        ThrottlerModule.forRoot([
          { limit: UNREACHABLE, ttl: 60_000, getTracker: keyOf as never, generateKey: (_context: ExecutionContext, key) => key },
        ]),
      ],
      providers: [{ provide: APP_GUARD, useClass: ThrottlerGuard }],
    }),
}

class Items {
  item(id: string): { id: string; name: string } {
    return item(id)
  }
}
Get('v1/items/:id')(Items.prototype, 'item', Object.getOwnPropertyDescriptor(Items.prototype, 'item') as PropertyDescriptor)
Param('id')(Items.prototype, 'item', 0)
Reflect.defineMetadata('design:paramtypes', [String], Items.prototype, 'item')
Controller()(Items)

class Application {}

async function host(parts: Partial<DynamicModule>, stop: () => Promise<void> = nothing): Promise<Hosted> {
  const app = await NestFactory.create({ module: Application, controllers: [Items], ...parts }, { logger: false })
  app.getHttpAdapter().getInstance().disable('x-powered-by').disable('etag')
  await app.listen(0, '127.0.0.1')
  return { server: app.getHttpServer(), stop }
}

async function farebox(file: string, durability: 'full' | 'process'): Promise<Hosted> {
  const engine = await startFarebox(file, durability)
  return host({ imports: [FareboxModule.forRoot({ farebox: engine, identify: keyOf })] }, () => engine.stop())
}
