/** What a customer over the limit gets, and what an admitted one is told. */

import { isInnerList, parseList } from 'structured-headers'
import { expect } from 'vitest'
import type { Check } from '../check.ts'
import type { Answer } from '../client.ts'
import { answer } from '../sample-routes.ts'
import { LIMIT } from '../world.ts'
import { exhaust } from './exhaust.ts'

interface Policy {
  readonly name: unknown
  readonly parameters: Readonly<Record<string, unknown>>
}

/** A `RateLimit` field as the IETF draft has it: a list of strings with parameters. */
function policiesOf({ headers }: Answer, field: 'ratelimit' | 'ratelimit-policy'): Policy[] {
  return parseList(String(headers[field])).map((member) => {
    if (isInnerList(member)) throw new Error(`an inner list in ${field}`)
    const [name, parameters] = member
    return { name, parameters: Object.fromEntries(parameters) }
  })
}

function remainingOf(admitted: Answer): unknown {
  const [limit] = policiesOf(admitted, 'ratelimit')
  return limit?.parameters['r']
}

const REPLACED = { status: 429, headers: [['x-own', 'own']], body: 'come back later' } as const

export const REFUSAL_CHECKS: readonly Check[] = [
  {
    id: 'C18',
    situations: [18],
    level: 'MUST',
    title: 'over the limit the answer is 402, the handler does not run and nothing is counted',
    async run(world) {
      const app = await world.start()
      await exhaust(app)
      for (let sent = 0; sent < 2; sent++) expect(await app.send('GET /plain/1')).toMatchObject({ status: 402 })
      expect(app.ran).toHaveLength(LIMIT)
      expect(await app.send('GET /plain/1', { as: 'bob' })).toMatchObject({ status: 200 })
      expect(await app.send('GET /own')).toMatchObject({ status: 200 })
      expect(await app.billed()).toEqual([
        ...Array<string>(LIMIT).fill('ada api_calls 1 /plain/:id'),
        'bob api_calls 1 /plain/:id',
        'ada downloads 4 /own',
      ])
    },
  },
  {
    id: 'C19',
    situations: [19, 21],
    level: 'MUST',
    title: 'the 402 is a problem document that a program can act on, with its media type exact',
    async run(world) {
      const app = await world.start()
      await exhaust(app)
      const refused = await app.send('GET /plain/1')
      expect(refused.headers['content-type']).toBe('application/problem+json')
      const problem = JSON.parse(refused.body)
      expect(problem).toMatchObject({
        status: 402,
        code: 'allowance_exhausted',
        feature: 'api_calls',
        plan: 'free',
        limit: LIMIT,
        used: LIMIT,
        remaining: 0,
        requested: 1,
        actions: [{ rel: 'upgrade', href: 'https://example.test/upgrade' }],
      })
      expect(URL.canParse(problem.type)).toBe(true)
      for (const member of ['title', 'detail', 'instance', 'period_end']) expect(problem[member]).toEqual(expect.any(String))
      expect(problem['violated-policies']).toEqual(policiesOf(refused, 'ratelimit-policy').map(({ name }) => name))
    },
  },
  {
    id: 'C20',
    situations: [20],
    level: 'MUST',
    title: 'the headers of the 402 parse as structured fields and agree with each other',
    async run(world) {
      const app = await world.start()
      await exhaust(app)
      const refused = await app.send('GET /plain/1')
      expect(refused.headers['cache-control']).toBe('no-store')
      expect(policiesOf(refused, 'ratelimit-policy')).toEqual([{ name: 'api_calls', parameters: { q: LIMIT } }])
      const [limit] = policiesOf(refused, 'ratelimit')
      expect(limit).toMatchObject({ name: 'api_calls', parameters: { r: 0, t: expect.any(Number) } })
      const retryAfter = Number(refused.headers['retry-after'] ?? Infinity)
      expect(retryAfter).toBeGreaterThanOrEqual(Number(limit?.parameters['t']))
    },
  },
  {
    id: 'C22',
    situations: [22],
    level: 'MUST',
    title: 'onRefused replaces the answer of a refusal, whose handler does not run and which is not counted',
    async run(world) {
      const seen: unknown[] = []
      const app = await world.start({
        options: {
          async onRefused({ status, body }, request) {
            seen.push([status, JSON.parse(body).code, request.header('x-customer')])
            return REPLACED
          },
        },
      })
      await exhaust(app)
      const refused = await app.send('GET /plain/1')
      expect(refused).toMatchObject({ status: 429, body: 'come back later' })
      expect(refused.headers['x-own']).toBe('own')
      expect(seen).toEqual([[402, 'allowance_exhausted', 'ada']])
      expect(app.ran).toHaveLength(LIMIT)
      expect(await app.used('ada')).toBe(LIMIT)
    },
  },
  {
    id: 'C23',
    situations: [23],
    level: 'MUST',
    title: "an application's error handling that turns everything into a 500 does not get the 402",
    async run(world) {
      const app = await world.start({ onError: () => answer(500, 'mapped') })
      await exhaust(app)
      const refused = await app.send('GET /plain/1')
      expect(refused.status).toBe(402)
      expect(refused.headers['content-type']).toBe('application/problem+json')
    },
  },
  {
    id: 'C24.1',
    situations: [24],
    level: 'MUST',
    title: 'admitted answers tell what is left after what they reserved',
    async run(world) {
      const app = await world.start()
      const left: unknown[] = []
      for (const path of ['/plain/1', '/plain/2', '/plain/3', '/own', '/own'])
        left.push(remainingOf(await app.send(`GET ${path}`)))
      expect(left).toEqual([2, 1, 0, 6, 2])
    },
  },
  {
    id: 'C24.2',
    situations: [24],
    level: 'SHOULD',
    title: 'what is left is told on empty answers, redirects, streams and answers past the framework too',
    async run(world) {
      const app = await world.start()
      app.controls.release('rest')
      for (const path of ['/status/204', '/status/302', '/stream', '/raw']) {
        const { headers } = await app.send(`GET ${path}`, { as: path.replaceAll('/', '-') })
        expect({ path, limit: headers.ratelimit }).toEqual({ path, limit: expect.stringContaining('"api_calls";r=2') })
      }
    },
  },
  {
    id: 'C24.3',
    situations: [24],
    level: 'MUST',
    title: 'the status, the headers and the body of a handler are what they are without the meter',
    async run(world) {
      const [metered, bare] = [await world.start(), await world.start({ layers: () => [] })]
      for (const path of ['/headers', '/plain/1', '/status/302', '/status/204', '/raw']) {
        const call = { as: path.replaceAll('/', '-') }
        expect(withoutMetering(await metered.send(`GET ${path}`, call))).toEqual(
          withoutMetering(await bare.send(`GET ${path}`, call)),
        )
      }
    },
  },
]

/** An answer without what every request has of its own, and without what a meter adds. */
function withoutMetering({ status, headers, body }: Answer): unknown {
  const { date: _date, ratelimit: _limit, 'ratelimit-policy': _policy, ...rest } = headers
  return {
    status,
    headers: Object.keys(rest)
      .toSorted()
      .map((name) => [name, rest[name]]),
    body,
  }
}
