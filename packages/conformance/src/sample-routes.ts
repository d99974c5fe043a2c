/** The routes of the sample. Each exists for the checks that name it; all are in every application. */

import type { MeterOptions } from '@farebox/core/http'
import type { Controls } from './controls.ts'
import type {
  SampleAnswer,
  SampleContext,
  SamplePart,
  SamplePath,
  SampleRequest,
  SampleResult,
  SampleRoute,
  SampleStream,
} from './sample.ts'

/** Fails on purpose, with what a developer's error would carry. */
export class SampleError extends Error {
  override readonly name = 'SampleError'
  /** What the application's own error handling answers. */
  readonly answerStatus: number

  constructor(message: string, answerStatus: number) {
    super(message)
    this.answerStatus = answerStatus
    // Hosts show the stack, and a meter stands in it.
    this.stack = `${this.name}: ${message}`
  }
}

export interface SampleRoutesInput {
  readonly controls: Controls
  /** The options of every route's own meter, where it says nothing else. */
  readonly options: MeterOptions<SampleRequest>
}

export interface SampleRoutes {
  readonly routes: readonly SampleRoute[]
  readonly parts: readonly SamplePart[]
}

type Handler = SampleRoute['handler']

export function createSampleRoutes({ controls, options }: SampleRoutesInput): SampleRoutes {
  const { ran, hold } = controls
  return {
    routes: [...plainRoutes(), ...failingRoutes(), ...streamRoutes(), ...meteredRoutes()],
    parts: createParts(),
  }

  function route(path: string, handler: Handler, rest: Partial<SampleRoute> = {}): SampleRoute {
    const noted: Handler = (context) => {
      ran.push(path)
      return handler(context)
    }
    return { method: 'GET', path: segments(path), handler: noted, ...rest }
  }

  function plainRoutes(): SampleRoute[] {
    return [
      route('/plain/:id', ({ params }) => answer(200, `plain ${text(params['id'])}`)),
      route('/files/*rest', () => answer(200, 'file')),
      route('/maybe/:id?', () => answer(200, 'maybe')),
      route('/documents', ({ body }) => answer(201, JSON.stringify(body)), { method: 'POST', body: 'json' }),
      route('/context', ({ meter }) => answer(200, JSON.stringify(meter ?? null))),
      route('/hold/:name', heldContext),
      route('/status/:status', ({ params }) => statusOf(Number(params['status']))),
      route('/headers', () => ({
        kind: 'answer',
        status: 203,
        headers: { 'content-type': 'text/csv', 'cache-control': 'max-age=60', etag: '"one"', 'x-own': 'own' },
        body: 'a,b',
      })),
      route('/raw', () => ({ kind: 'raw', status: 201, headers: { 'x-own': 'own' }, body: 'raw' })),
      route('/web', () => ({ kind: 'web', response: new Response('web', { status: 201, headers: { 'x-own': 'own' } }) })),
      route('/unmetered', ({ meter }) => answer(200, JSON.stringify(meter ?? null)), { meter: false }),
    ]
  }

  /** Answers with what it knew of its metering before it was held and after. */
  async function heldContext({ params, meter }: SampleContext): Promise<SampleResult> {
    const before = JSON.stringify(meter ?? null)
    await hold(String(params['name']))
    return answer(200, JSON.stringify([JSON.parse(before), meter ?? null]))
  }

  function failingRoutes(): SampleRoute[] {
    return [
      route('/throw/sync', () => {
        throw new SampleError('thrown', 500)
      }),
      route('/throw/async', async () => {
        await Promise.resolve()
        throw new SampleError('rejected', 500)
      }),
      route('/throw/value', async () => {
        await Promise.resolve()
        // oxlint-disable-next-line typescript/only-throw-error -- applications do, and so does this one on purpose
        throw 'not an Error'
      }),
      route('/throw/known', () => {
        throw new SampleError('known', 422)
      }),
    ]
  }

  function streamRoutes(): SampleRoute[] {
    return [
      route('/stream', () => stream({ 'content-type': 'text/plain' }, chunks())),
      route('/events', () => stream({ 'content-type': 'text/event-stream', 'cache-control': 'no-cache' }, events())),
      route('/broken', () => stream({ 'content-type': 'text/plain' }, broken())),
    ]
  }

  async function* chunks(): AsyncGenerator<string> {
    yield 'first '
    await hold('rest')
    yield* ['second ', 'third ', 'last']
  }

  async function* events(): AsyncGenerator<string> {
    yield 'data: first\n\n'
    await hold('rest')
    yield 'data: last\n\n'
  }

  async function* broken(): AsyncGenerator<string> {
    yield 'first '
    await hold('rest')
    throw new SampleError('broken in the middle', 500)
  }

  /** Routes with a meter of their own. */
  function meteredRoutes(): SampleRoute[] {
    const own = (more: MeterOptions<SampleRequest> = {}): Pick<SampleRoute, 'meter'> => ({
      meter: { feature: 'downloads', options: { ...options, ...more } },
    })
    return [
      route('/own', () => answer(200, 'own'), own({ units: 4 })),
      route('/twice', () => answer(200, 'twice'), { meter: { feature: undefined, options: { ...options, units: 2 } } }),
      route('/measured', ({ meter }) => (meter?.add('1.5'), meter?.add(1), answer(200, 'measured')), own()),
      route('/measured/stream', ({ meter }) => stream({}, measured(meter)), own()),
      route('/wrong', ({ meter }) => (meter?.add(-1), answer(200, 'wrong')), own()),
      route(
        '/units',
        () => answer(200, 'units'),
        own({ units: (request, outcome) => Number(request.header(outcome === undefined ? 'x-reserve' : 'x-used')) }),
      ),
    ]
  }

  /** Each chunk is two units, added before it is written. */
  async function* measured(meter: SampleContext['meter']): AsyncGenerator<string> {
    meter?.add(2)
    yield 'first '
    await hold('rest')
    meter?.add(2)
    yield 'last'
  }

  function createParts(): SamplePart[] {
    const deep = route('/deep/:leaf', ({ params }) => answer(200, `leaf ${text(params['leaf'])}`))
    const users = route('/users/:id', ({ params }) => answer(200, `user ${text(params['id'])}`))
    const failing = route('/fail/:id', () => {
      throw new SampleError('thrown in a part', 500)
    })
    const root = route('/', () => answer(200, 'root of a part'))
    return [
      part('router', '/v1', [root, users, failing], [part('router', '/nested', [deep])]),
      part('router', '/api/:version', [users], [part('router', '/n/:n', [deep])]),
      part('app', '/admin', [route('/items/:id', ({ params }) => answer(200, `item ${text(params['id'])}`))]),
    ]
  }
}

function segments(path: string): SamplePath {
  return path.split('/').filter((segment) => segment !== '')
}

function part(kind: SamplePart['kind'], path: string, routes: SampleRoute[], parts: SamplePart[] = []): SamplePart {
  return { kind, path: segments(path), routes, parts }
}

/** A parameter as it came: some frameworks give a list for some patterns. */
function text(parameter: unknown): string {
  return typeof parameter === 'string' ? parameter : JSON.stringify(parameter)
}

/** Text, so that no framework has a reason to write it anew. */
export function answer(status: number, body: string | null): SampleAnswer {
  return { kind: 'answer', status, headers: body === null ? {} : { 'content-type': 'text/plain; charset=utf-8' }, body }
}

function statusOf(status: number): SampleAnswer {
  const isEmpty = status === 204 || status === 304
  const plain = answer(status, isEmpty ? null : `status ${status}`)
  return status === 302 ? { ...plain, headers: { ...plain.headers, location: '/plain/1' } } : plain
}

function stream(headers: SampleStream['headers'], chunks: AsyncIterable<string>): SampleStream {
  return { kind: 'stream', headers, chunks }
}
