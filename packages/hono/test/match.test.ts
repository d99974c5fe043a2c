/** What counts: the route that Hono has matched, once, under Hono's own pattern, for the finest meter before it. */

import { meterFetch } from '@farebox/core/http'
import { Hono, type MiddlewareHandler } from 'hono'
import { except } from 'hono/combine'
import { cors } from 'hono/cors'
import { Hono as QuickHono } from 'hono/quick'
import { LinearRouter } from 'hono/router/linear-router'
import { PatternRouter } from 'hono/router/pattern-router'
import { RegExpRouter } from 'hono/router/reg-exp-router'
import { TrieRouter } from 'hono/router/trie-router'
import { Hono as TinyHono } from 'hono/tiny'
import { describe, expect, test } from 'vitest'
import { meter } from '../src/index.ts'
import { observed } from './observed.ts'

/** An app with one meter for all of it, without a server. */
function metered() {
  const watch = observed()
  const app = new Hono()
  app.use(meter(watch.options))
  const labels = () => watch.admissions.map(({ feature, route }) => `${feature} ${route}`)
  return { ...watch, app, labels }
}

const pass: MiddlewareHandler = (_c, next) => next()

test('these tests run on the Hono that they name', () => {
  // Routes for the method QUERY came after 4.8.
  expect('query' in new Hono()).toBe(process.env['HONO_PACKAGE'] === 'hono')
})

describe('a matched route', () => {
  test('is admitted once, with its method, its path without the query and its pattern', async () => {
    const { app, admissions, billed } = metered()
    app.get('/plain/:id', (c) => c.text(c.req.param('id')))

    expect(await (await app.request('/plain/7?token=secret')).text()).toBe('7')
    expect(admissions).toEqual([{ feature: 'api_calls', method: 'GET', route: '/plain/:id' }])
    expect(await billed()).toEqual(['api_calls 1 /plain/:id'])
  })

  test('has the pattern with its base path, and with the parameters of a mount', async () => {
    const { app, labels } = metered()
    const inner = new Hono().get('/deep/:d', (c) => c.text('deep')).get('/', (c) => c.text('root'))
    const outer = new Hono().route('/n', inner).get('/users/:id', (c) => c.text('user'))
    app.route('/api/:version', outer)
    app.basePath('/v2').get('/users/:id', (c) => c.text('user'))

    for (const path of ['/api/v1/n/deep/6', '/api/v1/n', '/api/v1/users/7', '/v2/users/7']) {
      expect((await app.request(path, { headers: { 'x-customer': path } })).status).toBe(200)
    }
    expect(labels()).toEqual([
      'api_calls /api/:version/n/deep/:d',
      'api_calls /api/:version/n',
      'api_calls /api/:version/users/:id',
      'api_calls /v2/users/:id',
    ])
  })

  test('has one label for all depths of a wildcard, optional parts and spellings', async () => {
    const { app, labels } = metered()
    app.get('/files/*', (c) => c.text('file'))
    app.get('/animal/:type?', (c) => c.text('animal'))
    app.on(['GET', 'POST'], ['/a/:id{[0-9]+}', '/b'], (c) => c.text('on'))

    for (const [index, path] of ['/files/a', '/files/a/b/c', '/animal', '/animal/x%2Fy', '/a/7', '/b'].entries()) {
      expect((await app.request(path, { headers: { 'x-customer': `c${index}` } })).status).toBe(200)
    }
    expect(labels().map((label) => label.split(' ')[1])).toEqual([
      '/files/*',
      '/files/*',
      expect.stringMatching(/^\/animal/),
      expect.stringMatching(/^\/animal/),
      '/a/:id{[0-9]+}',
      '/b',
    ])
  })

  test('is found behind middleware for all methods, for some methods, and of the route itself', async () => {
    const { app, labels } = metered()
    app.get('*', pass)
    app.use('/x/*', pass)
    app.get('/x/:id', pass, (c) => c.text('x'))
    app.get('*', (c) => c.text('fallback'))

    expect(await (await app.request('/x/1')).text()).toBe('x')
    expect(labels()).toEqual(['api_calls /x/:id'])
  })

  test('whose handlers all take next is told by its method', async () => {
    const { app, labels } = metered()
    app.get('/y', pass, async (c, _next) => c.text('y'))
    expect(await (await app.request('/y')).text()).toBe('y')
    expect(labels()).toEqual(['api_calls /y'])
  })

  test('for all methods is one where its handler takes no next', async () => {
    const { app, labels } = metered()
    app.all('/middleware', async (c, _next) => c.text('taken for middleware'))
    app.all('/any', (c) => c.text(c.req.method))
    expect((await app.request('/middleware')).status).toBe(200)
    expect(await (await app.request('/any', { method: 'PURGE' })).text()).toBe('PURGE')
    expect(labels()).toEqual(['api_calls /any'])
  })

  test('is met by HEAD as by GET', async () => {
    const { app, admissions, billed } = metered()
    app.get('/page', (c) => c.text('page'))
    const response = await app.request('/page', { method: 'HEAD' })
    expect([response.status, response.body]).toEqual([200, null])
    expect(admissions).toMatchObject([{ method: 'HEAD', route: '/page' }])
    expect(await billed()).toEqual(['api_calls 1 /page'])
  })

  test('of a sub-app with an error handler of its own is found, and so is its meter', async () => {
    const { app, options, labels } = metered()
    const sub = new Hono().onError((_error, c) => c.text('mapped', 422))
    sub.use('/own/*', meter('downloads', options))
    sub.get('/own/:id', (c) => c.text('own'))
    sub.get('/plain/:id', (c) => c.text('plain'))
    app.route('/sub', new Hono().onError((_error, c) => c.text('outer', 500)).route('/', sub))

    expect(await (await app.request('/sub/plain/1')).text()).toBe('plain')
    expect(await (await app.request('/sub/own/1')).text()).toBe('own')
    expect(labels()).toEqual(['api_calls /sub/plain/:id', 'downloads /sub/own/:id'])
  })
})

describe('what is not a route', () => {
  test("an unknown path and a wrong method are the app's own 404, also over the limit", async () => {
    const { app, admissions } = metered()
    app.use('*', pass)
    app.get('/plain/:id', (c) => c.text('plain'))
    for (let call = 0; call < 4; call++) await app.request('/plain/1')
    expect((await app.request('/plain/1')).status).toBe(402)
    const before = admissions.length

    expect((await app.request('/nope')).status).toBe(404)
    expect((await app.request('/plain/1/')).status).toBe(404)
    expect((await app.request('/plain/1', { method: 'DELETE' })).status).toBe(404)
    expect((await app.request('/plain/1', { method: 'OPTIONS' })).status).toBe(404)
    expect(admissions).toHaveLength(before)
  })

  test.each(['before', 'after'])('a preflight is answered by cors() %s the meter, and never counted', async (place) => {
    const { options, billed } = observed()
    const app = new Hono()
    const middleware = [cors(), meter(options)]
    app.use(...(place === 'before' ? middleware : middleware.toReversed()))
    app.get('/x', (c) => c.text('x'))
    app.options('/x', (c) => c.text('options'))

    const preflight = { method: 'OPTIONS', headers: { origin: 'https://a.test', 'access-control-request-method': 'GET' } }
    for (let call = 0; call < 4; call++) {
      const response = await app.request('/x', preflight)
      expect([response.status, response.headers.get('access-control-allow-origin')]).toEqual([204, '*'])
      expect(response.headers.get('ratelimit')).toBeNull()
    }
    expect(await billed()).toEqual([])
  })

  test('what is under mount() counts with a meter of its own', async () => {
    const { app, farebox, options, labels, billed } = metered()
    const mounted = new Hono().use(meter('downloads', options)).get('/users/:id', (c) => c.text('user'))
    app.mount('/plain', () => new Response('plain'))
    const identify = (): string => 'ada'
    const wrapped = meterFetch((request) => new Response(new URL(request.url).pathname), { farebox, feature: 'pages', identify })
    app.mount('/wrapped', wrapped)
    app.mount('/own', mounted.fetch)

    expect(await (await app.request('/plain/x')).text()).toBe('plain')
    expect(await (await app.request('/own/users/7')).text()).toBe('user')
    expect(await (await app.request('/wrapped/x')).text()).toBe('/x')
    expect(labels()).toEqual(['downloads /users/:id'])
    expect(await billed()).toEqual(['downloads 1 /users/:id', 'pages 1 null'])
  })
})

describe('of several meters', () => {
  test("a route's own wins over its sub-app's, and a sub-app's over the app's; each request is counted once", async () => {
    const { app, options, labels, billed } = metered()
    const sub = new Hono()
    sub.use(meter('pages', options))
    sub.get('/plain', (c) => c.text(c.get('meter')?.feature ?? ''))
    sub.get('/own', meter('downloads', { ...options, units: 5 }), (c) => c.text(c.get('meter')?.feature ?? ''))
    app.route('/sub', sub)
    app.get('/top', (c) => c.text(c.get('meter')?.feature ?? ''))

    expect(await (await app.request('/top')).text()).toBe('api_calls')
    expect(await (await app.request('/sub/plain')).text()).toBe('pages')
    expect(await (await app.request('/sub/own')).text()).toBe('downloads')
    expect(labels()).toEqual(['api_calls /top', 'pages /sub/plain', 'downloads /sub/own'])
    expect(await billed()).toEqual(['api_calls 1 /top', 'pages 1 /sub/plain', 'downloads 5 /sub/own'])
  })

  test('the last before the handler counts, behind validation and where the handler takes next', async () => {
    const { app, options, labels } = metered()
    app.get('/x', pass, meter('downloads', options), (c) => c.text('x'))
    app.get('/y', meter('pages', options), pass, async (c, _next) => c.text('y'))

    expect((await app.request('/x')).status).toBe(200)
    expect((await app.request('/y')).status).toBe(200)
    expect(labels()).toEqual(['downloads /x', 'pages /y'])
  })

  test('one that stands behind the handler is not waited for', async () => {
    const { app, options, labels, billed } = metered()
    app.get('/x', (c) => c.text('x'))
    app.get('*', meter('downloads', options), (c) => c.text('fallback'))

    expect(await (await app.request('/x')).text()).toBe('x')
    expect(await (await app.request('/other')).text()).toBe('fallback')
    expect(labels()).toEqual(['api_calls /x', 'downloads /*'])
    expect(await billed()).toHaveLength(2)
  })

  test('the same one twice counts once', async () => {
    const { options, billed } = observed()
    const both = meter(options)
    const app = new Hono().use(both).use(both)
    app.get('/x', both, (c) => c.text('x'))
    await app.request('/x')
    expect(await billed()).toEqual(['api_calls 1 /x'])
  })

  test('a request that goes on to a later route is not counted again', async () => {
    const { app, options, billed } = metered()
    app.get('/x', async (c, next) => void (await next()))
    app.get('/x', meter('downloads', options), (c) => c.text(c.get('meter')?.feature ?? ''))
    expect(await (await app.request('/x')).text()).toBe('downloads')
    expect(await billed()).toEqual(['downloads 1 /x'])
  })

  test('one within except() counts the other paths', async () => {
    const { options, billed } = observed()
    const app = new Hono().use(except('/health', meter(options)))
    app.get('/health', (c) => c.text('well'))
    app.get('/x/:id', (c) => c.text('x'))
    for (const path of ['/health', '/x/1']) expect((await app.request(path)).status).toBe(200)
    expect(await billed()).toEqual(['api_calls 1 /x/:id'])
  })

  test('a meter on a path counts the routes below it', async () => {
    const { options, billed } = observed()
    const app = new Hono()
    app.use('/paid/*', meter('pages', options))
    app.get('/paid/:id', (c) => c.text('paid'))
    app.get('/free', (c) => c.text(String(c.get('meter'))))
    await app.request('/paid/1')
    expect(await (await app.request('/free')).text()).toBe('undefined')
    expect(await billed()).toEqual(['pages 1 /paid/:id'])
  })
})

describe.each([
  ['hono/tiny', () => new TinyHono()],
  ['hono/quick', () => new QuickHono()],
  ['RegExpRouter', () => new Hono({ router: new RegExpRouter() })],
  ['TrieRouter', () => new Hono({ router: new TrieRouter() })],
  ['LinearRouter', () => new Hono({ router: new LinearRouter() })],
  ['PatternRouter', () => new Hono({ router: new PatternRouter() })],
])('with %s', (_name, create) => {
  test('the finest meter counts the matched pattern, and nothing else', async () => {
    const { options, billed } = observed()
    const app = create()
    app.use('*', meter(options))
    app.get('/users/:id', (c) => c.text('user'))
    app.post('/users/:id', meter('downloads', options), (c) => c.text('posted'))
    app.get('/static', (c) => c.text('static'))

    expect((await app.request('/users/7')).status).toBe(200)
    expect((await app.request('/users/7', { method: 'POST' })).status).toBe(200)
    expect((await app.request('/static')).status).toBe(200)
    expect((await app.request('/nope')).status).toBe(404)
    expect(await billed()).toEqual(['api_calls 1 /users/:id', 'downloads 1 /users/:id', 'api_calls 1 /static'])
  })
})
