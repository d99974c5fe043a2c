/** What an admitted request keeps: its headers, its context, its own meter. */

import { AsyncLocalStorage } from 'node:async_hooks'
import { describe, expect, test } from 'vitest'
import { meter } from '../src/index.ts'
import { createRecorder } from './recorder.ts'
import { pause, start } from './server.ts'
import { VERSIONS } from './versions.ts'

describe.each(VERSIONS)('the admission on $name', ({ express }) => {
  test('the headers of an admitted request survive every way to answer', async () => {
    const farebox = createRecorder()
    const app = express().use(meter({ farebox }))
    app.get('/json', (_req, res) => res.json({}))
    app.get('/head', (_req, res) => void res.writeHead(201, { 'x-own': '1' }).end())
    app.get('/file', (_req, res) => res.sendFile(import.meta.filename))
    app.get('/stream', (_req, res) => void (res.write('a'), res.end('b')))
    app.get('/throw', () => {
      throw new Error('thrown')
    })
    app.get('/fall', (_req, _res, next) => next())
    app.set('env', 'test')
    const server = await start(app)

    // The last two answers come from Express's final handler, which sends no header but its own.
    for (const path of ['/json', '/head', '/file', '/stream']) {
      expect((await server.send(`GET ${path}`)).headers.ratelimit).toBe('"default";r=1')
    }
    expect(await server.send('GET /throw')).toMatchObject({ status: 500 })
    expect(await server.send('GET /fall')).toMatchObject({ status: 404 })
  })

  test('headers that were sent before are left alone, admitted or refused', async () => {
    const farebox = createRecorder({ limit: 1 })
    const app = express()
    app.use((_req, res, next) => {
      res.write('early ')
      next()
    })
    app.use(meter({ farebox }))
    app.get('/x', (_req, res) => void res.end('late'))
    const server = await start(app)

    expect(await server.send('GET /x')).toMatchObject({ status: 200, body: 'early late' })
    expect(await server.send('GET /x')).toMatchObject({ status: 200, body: 'early ' })
  })

  test('concurrent requests each see their own meter and the context they came with', async () => {
    const storage = new AsyncLocalStorage<string>()
    const farebox = createRecorder({ beforeDecision: () => pause(Math.random() * 10) })
    const app = express()
    app.use((req, _res, next) => storage.run(req.url, next))
    app.use(meter({ farebox }))
    app.get('/:id', (req, res) => void setTimeout(() => res.send(`${req.meter?.key} ${storage.getStore()} ${req.params.id}`), 5))
    const server = await start(app)

    const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => server.send(`GET /${index}`)))
    expect(new Set(answers.map(({ body }) => body.split(' ')[0])).size).toBe(20)
    for (const [index, { body }] of answers.entries()) expect(body).toMatch(new RegExp(`^key-\\d+ /${index} ${index}$`))
  })

  test("the gate reads headers and the framework's own request", async () => {
    const seen: unknown[] = []
    const app = express()
    app.use(
      meter({
        farebox: {
          createGate: () => ({
            async admit(request) {
              seen.push(request.header('x-api-key'), request.header('x-none'), (request.raw as { url: string }).url)
              return { kind: 'unmetered' }
            },
            settle() {},
          }),
        },
      }),
    )
    app.get('/x', (_req, res) => res.send('ok'))
    const server = await start(app)

    await server.send('GET /x?y=1', { headers: { 'X-Api-Key': 'secret' } })
    expect(seen).toEqual(['secret', undefined, '/x?y=1'])
  })
})
