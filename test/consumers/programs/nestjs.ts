/** An API on NestJS with an allowance of one call. */

import 'reflect-metadata'
import { createFarebox, defineCatalog } from '@farebox/core'
import { sqlite } from '@farebox/core/sqlite'
import { FareboxModule, Meter, type MeterContext, type NestRequest } from '@farebox/nestjs'
import { Controller, Get, Module, Param } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'

const catalog = defineCatalog({
  currency: 'USD',
  features: { calls: { type: 'metered', default: true } },
  plans: { free: { price: '0', interval: 'month', default: true, features: { calls: { included: 1 } } } },
})
const farebox = createFarebox({ catalog, store: sqlite({ path: ':memory:' }) })

@Controller()
class HelloController {
  @Get('hello/:name')
  hello(@Param('name') name: string, @Meter() meter: MeterContext) {
    return { hello: name, left: meter.remaining }
  }
}

const identify = (request: NestRequest) => request.headers['x-user']?.toString() ?? null

@Module({ imports: [FareboxModule.forRoot({ identify })], controllers: [HelloController] })
class AppModule {}

async function main() {
  const app = await NestFactory.create(AppModule, { logger: false })
  await app.listen(0, '127.0.0.1')
  const url = await app.getUrl()
  const call = () => fetch(`${url}/hello/ada`, { headers: { 'x-user': 'ada' } })
  console.log((await call()).status, (await call()).status)
  await app.close()
  await farebox.stop()
}

void main()
