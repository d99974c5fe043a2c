/** The package as it is published, as ES modules and as CommonJS, in an application of each major of Nest. */

import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'

const PACKAGE = path.resolve(import.meta.dirname, '..')

/** A folder in which the major of this run is what an application finds. */
const NEST = process.env['NEST_MAJOR'] === '11' ? path.join(PACKAGE, 'nest-11') : PACKAGE

const APPLICATION = `
class Api { root(meter) { return meter.feature } }
const descriptor = Object.getOwnPropertyDescriptor(Api.prototype, 'root')
Get()(Api.prototype, 'root', descriptor)
Meter()(Api.prototype, 'root', 0)
Controller()(Api)
class AppModule {}
Module({ imports: [FareboxModule.forRoot({ identify: ({ headers }) => headers['x-customer'] })], controllers: [Api] })(AppModule)

async function run() {
  const features = { api_calls: { type: 'metered', name: 'API calls', default: true } }
  const free = { name: 'Free', price: '0', interval: 'month', default: true, features: { api_calls: { included: 1 } } }
  const farebox = createFarebox({ catalog: defineCatalog({ currency: 'USD', features, plans: { free } }), store: sqlite({ path: ':memory:' }) })
  const answers = []
  for (const adapter of [new ExpressAdapter(), new FastifyAdapter()]) {
    const app = await NestFactory.create(AppModule, adapter, { logger: ['error'], forceCloseConnections: true })
    await app.listen(0, '127.0.0.1')
    for (const customer of ['ada', 'ada']) {
      const response = await fetch(await app.getUrl(), { headers: { 'x-customer': customer + adapter.getType() } })
      answers.push(response.status, (await response.text()).slice(0, 9))
    }
    await app.close()
  }
  await farebox.stop()
  console.log(JSON.stringify(answers))
}
run()
`

const NAMES: Readonly<Record<string, string>> = {
  '@farebox/core': 'createFarebox, defineCatalog',
  '@farebox/core/sqlite': 'sqlite',
  './farebox-nestjs/dist/index': 'FareboxModule, Meter',
  '@nestjs/common': 'Controller, Get, Module',
  '@nestjs/core': 'NestFactory',
  '@nestjs/platform-express': 'ExpressAdapter',
  '@nestjs/platform-fastify': 'FastifyAdapter',
}

const FORMATS = {
  mjs: (names: string, specifier: string) => `import { ${names} } from '${specifier}'`,
  cjs: (names: string, specifier: string) => `const { ${names} } = require('${specifier}')`,
}

test.each(['mjs', 'cjs'] as const)('the package works as .%s', (format) => {
  mkdirSync(path.join(NEST, 'var'), { recursive: true })
  const folder = mkdtempSync(path.join(NEST, 'var', 'built-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  // A copy, because what a package imports is looked for from where it lies.
  cpSync(path.join(PACKAGE, 'dist'), path.join(folder, 'farebox-nestjs/dist'), { recursive: true })
  const imports = Object.entries(NAMES).map(([specifier, names]) =>
    FORMATS[format](names, specifier.startsWith('.') ? `${specifier}.${format}` : specifier),
  )
  const file = path.join(folder, `application.${format}`)
  writeFileSync(file, imports.join('\n') + APPLICATION)
  const answers = execFileSync(process.execPath, [file], { encoding: 'utf8', timeout: 30_000 })
  const each = [200, 'api_calls', 402, '{"type":"']
  expect(JSON.parse(answers)).toEqual([...each, ...each])
})
