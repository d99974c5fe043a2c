/** Adapters that are broken on purpose, each in one way that adapters have been broken, with the checks that must see it. */

import type { Server } from 'node:http'
import { buffer } from 'node:stream/consumers'
import type { Gate, MeterContext, Outcome, Ticket, Verdict } from '@farebox/core/http'
import type { Protocol, SampleAnswer } from '../src/index.ts'
import { type Exchange, PLAIN, type PlainParts } from './plain-app.ts'

export interface Flaw {
  readonly name: string
  readonly protocol?: Protocol
  readonly changes: Partial<PlainParts>
  /** The checks that fail because of it. */
  readonly breaks: readonly string[]
}

type PlainGate = Gate<Exchange>

const UNMETERED: Verdict = { kind: 'unmetered' }

/** A gate that does something else. */
function withGate(change: (gate: PlainGate) => Partial<PlainGate>): Pick<PlainParts, 'createGate'> {
  return {
    createGate(...input) {
      const gate = PLAIN.createGate(...input)
      return { ...gate, ...change(gate) }
    },
  }
}

/** A gate that is told of another outcome. */
function withOutcome(change: (outcome: Outcome) => Outcome): Pick<PlainParts, 'createGate'> {
  return withGate((gate) => ({ settle: (ticket, outcome, raw) => gate.settle(ticket, change(outcome), raw) }))
}

/** A gate with another verdict. */
function withVerdict(change: (verdict: Verdict) => Verdict): Pick<PlainParts, 'createGate'> {
  return withGate((gate) => ({ admit: async (request) => change(await gate.admit(request)) }))
}

/** A meter in the handler that does something else. */
function withMeter(change: (meter: MeterContext) => MeterContext): Pick<PlainParts, 'visit'> {
  return {
    async visit(...input) {
      const passage = await PLAIN.visit(...input)
      if (passage.kind !== 'proceed' || passage.meter === undefined) return passage
      return { ...passage, meter: change(passage.meter) }
    },
  }
}

function requestOf({ req, header }: Exchange, route: string | null) {
  return { method: String(req.method), route, header }
}

/** Its own idea of what the application's paths look like. */
const OWN_MATCH = /^\/(plain\/[^/%]+|v1\/users\/\d+)$/

const SHARED: { meter: MeterContext | undefined } = { meter: undefined }

const REFUSED_BY_ITSELF: SampleAnswer = { kind: 'answer', status: 402, headers: {}, body: 'limit reached' }

export const FLAWS: readonly Flaw[] = [
  {
    name: 'meters nothing',
    changes: { gatesFor: () => [] },
    breaks: ['C01', 'C05', 'C10.4', 'C17', 'C18', 'C30', 'C32.3', 'C45', 'C53.2', 'C54', 'C55.1', 'C66.1'],
  },
  {
    name: 'meters before the host has matched, in front of everything',
    changes: { isFirst: true, gatesFor: (found, gates) => (found?.gate ? [found.gate] : gates) },
    breaks: ['C02', 'C04', 'C31.1', 'C31.2', 'C59.1'],
  },
  {
    name: 'counts preflights and OPTIONS as if they were requests for the route',
    changes: {
      isFirst: true,
      gatesFor: (_found, gates) => gates,
      visit: (gate, exchange, label) => {
        Object.defineProperty(exchange.req, 'method', { value: 'GET' })
        return PLAIN.visit(gate, exchange, label)
      },
    },
    breaks: ['C07', 'C08', 'C09'],
  },
  {
    name: 'does not meter HEAD',
    changes: { gatesFor: (found, gates, { req }) => (req.method === 'HEAD' ? [] : PLAIN.gatesFor(found, gates, PROBE)) },
    breaks: ['C05', 'C06'],
  },
  {
    name: 'labels by the URL',
    changes: { visit: (gate, exchange) => PLAIN.visit(gate, exchange, exchange.path) },
    breaks: ['C01', 'C10.1', 'C10.2', 'C10.3', 'C11.1', 'C11.2', 'C12', 'C13', 'C14'],
  },
  {
    name: 'matches URLs by itself',
    changes: { gatesFor: (found, gates, { path }) => (OWN_MATCH.test(path) ? PLAIN.gatesFor(found, gates, PROBE) : []) },
    breaks: ['C15', 'C16', 'C17'],
  },
  {
    name: 'throws the 402',
    changes: {
      refuse({ status }) {
        throw new Error(`refused with ${status}`)
      },
    },
    breaks: ['C18', 'C19', 'C23', 'C32.1', 'C64.1'],
  },
  {
    name: 'writes a refusal of its own',
    changes: { refuse: (_reply, exchange) => void PLAIN.send(REFUSED_BY_ITSELF, exchange) },
    breaks: ['C06', 'C19', 'C20', 'C22', 'C64.1'],
  },
  {
    name: 'forgets the headers of admitted answers',
    changes: withVerdict((verdict) => (verdict.kind === 'admitted' ? { ...verdict, headers: [] } : verdict)),
    breaks: ['C24.1', 'C24.2', 'C44'],
  },
  {
    name: 'changes the answers of handlers',
    changes: {
      send(result, exchange) {
        if (exchange.meter !== undefined) exchange.res.setHeader('x-metered', 'yes')
        return PLAIN.send(result, exchange)
      },
    },
    breaks: ['C24.3'],
  },
  {
    name: 'takes every answer for a 200',
    changes: withOutcome((outcome) => (outcome.kind === 'finished' ? { kind: 'finished', status: 200 } : outcome)),
    breaks: ['C25.1', 'C25.2', 'C26', 'C27', 'C28.1', 'C28.2', 'C29', 'C42', 'C43', 'C44', 'C48'],
  },
  {
    name: 'takes a broken answer for a finished one',
    changes: withOutcome((outcome) => (outcome.kind === 'aborted' ? { kind: 'finished', status: 200 } : outcome)),
    breaks: ['C34.1', 'C34.2', 'C40'],
  },
  {
    name: 'takes a cancelled stream for a finished one',
    protocol: 'http2',
    changes: withOutcome((outcome) => (outcome.kind === 'aborted' ? { kind: 'finished', status: 200 } : outcome)),
    breaks: ['C41'],
  },
  {
    name: 'forgets clients that left',
    changes: withOutcome((outcome) => (outcome.kind === 'aborted' ? { kind: 'not_started' } : outcome)),
    breaks: ['C34.1', 'C36', 'C39'],
  },
  {
    name: 'settles on finish, which a client that leaves never brings about',
    changes: {
      visit: (gate, exchange, label) => settleAt(gate, exchange, label, (settle) => exchange.res.on('finish', settle)),
    },
    breaks: ['C34.1'],
  },
  {
    name: 'settles as soon as the headers are out',
    changes: {
      visit: (gate, exchange, label) =>
        settleAt(gate, exchange, label, (settle) => {
          const { res } = exchange
          res.writeHead = new Proxy(res.writeHead, {
            apply(target, own, given) {
              settle()
              return Reflect.apply(target, own, given) as typeof res
            },
          })
        }),
    },
    breaks: ['C37', 'C38', 'C55.3'],
  },
  {
    name: 'runs the handler though the client is gone',
    changes: {
      async visit(...input) {
        const passage = await PLAIN.visit(...input)
        return passage.kind === 'gone' ? { kind: 'proceed', meter: undefined, headers: [] } : passage
      },
    },
    breaks: ['C35'],
  },
  {
    name: 'holds streams back until they are over',
    changes: {
      async send(result, exchange) {
        if (result.kind !== 'stream') return PLAIN.send(result, exchange)
        let body = ''
        for await (const chunk of result.chunks) body += chunk
        return PLAIN.send({ kind: 'answer', status: 200, headers: result.headers, body }, exchange)
      },
    },
    breaks: ['C37', 'C38'],
  },
  {
    name: 'writes headers to an answer that was sent',
    changes: {
      async visit(gate, exchange, label) {
        exchange.res.setHeader('x-visit', 'yes')
        return PLAIN.visit(gate, exchange, label)
      },
    },
    breaks: ['C24.3', 'C45'],
  },
  {
    name: 'asks the plan only after the handler has run',
    changes: {
      gatesFor: () => [],
      createGate(...input) {
        const gate = PLAIN.createGate(...input)
        // The application's meter, and not one of a route's own.
        if ('kind' in input[1]) AFTERWARDS.push(gate)
        return gate
      },
      async send(result, exchange) {
        const gate = AFTERWARDS.at(-1)
        const verdict = await gate?.admit({ ...requestOf(exchange, null), raw: exchange })
        if (verdict?.kind === 'admitted') gate?.settle(verdict.ticket, { kind: 'finished', status: 200 }, exchange)
        return PLAIN.send(result, exchange)
      },
    },
    breaks: ['C18', 'C46', 'C47', 'C53.1'],
  },
  {
    name: 'leaves a listener on the connection for each request',
    changes: {
      visit(gate, exchange, label) {
        exchange.req.socket.on('timeout', () => {})
        return PLAIN.visit(gate, exchange, label)
      },
    },
    breaks: ['C67'],
  },
  {
    name: 'serves a repeated Idempotency-Key for nothing',
    changes: withGate((gate) => {
      const seen = new Set<string>()
      return {
        admit(request) {
          const key = request.header('idempotency-key')?.replaceAll('"', '')
          if (key === undefined || !seen.has(key)) {
            if (key !== undefined) seen.add(key)
            return gate.admit(request)
          }
          return Promise.resolve(UNMETERED)
        },
      }
    }),
    breaks: ['C49', 'C50', 'C51', 'C52'],
  },
  {
    name: "forgets the options of a route's own meter",
    changes: { gatesFor: (found, gates) => (found === undefined || found.route.meter === false ? [] : gates) },
    breaks: ['C54', 'C55.2', 'C57.2'],
  },
  {
    name: 'does not count what the handler adds',
    changes: withMeter((meter) => ({ ...plainMeter(meter), add: () => {}, addModelUsage: () => {}, followModelUsage: () => {} })),
    breaks: ['C39', 'C55.1', 'C55.3', 'C56.2'],
  },
  {
    name: 'serves when the meter fails',
    changes: withGate((gate) => ({ admit: (request) => gate.admit(request).catch(() => UNMETERED) })),
    breaks: ['C33', 'C56.1'],
  },
  {
    name: 'serves for nothing when the store cannot answer',
    changes: withVerdict((verdict) => (verdict.kind === 'refused' && verdict.reply.status === 503 ? UNMETERED : verdict)),
    breaks: ['C53.1', 'C64.1', 'C65'],
  },
  {
    name: 'drops options that it does not know',
    changes: { options: ({ identify, units }) => ({ ...(identify && { identify }), ...(units !== undefined && { units }) }) },
    breaks: ['C22', 'C28.2', 'C32.2', 'C34.2', 'C58.2', 'C64.2', 'C69.1'],
  },
  {
    name: 'takes all strangers for one customer',
    changes: {
      options: (options) => ({ ...options, identify: async (request) => (await options.identify?.(request)) ?? 'stranger' }),
    },
    breaks: ['C32.1', 'C32.3'],
  },
  {
    name: 'counts again at each meter',
    changes: { visit: (gate, exchange, label) => settleAt(gate, exchange, label, (settle) => exchange.res.on('close', settle)) },
    breaks: ['C57.1'],
  },
  {
    name: "counts the application's meter and the route's own",
    changes: {
      gatesFor: (found, gates) =>
        found === undefined || found.route.meter === false ? [] : [...gates, ...(found.gate ? [found.gate] : [])],
      visit: (gate, exchange, label) => settleAt(gate, exchange, label, (settle) => exchange.res.on('close', settle)),
    },
    breaks: ['C57.2'],
  },
  {
    name: 'meters routes that are not to be metered',
    changes: { gatesFor: (found, gates) => (found === undefined ? [] : found.gate === null ? gates : [found.gate]) },
    breaks: ['C58.1'],
  },
  {
    name: 'takes the meter of the latest request for that of every request',
    changes: withMeter((meter) => {
      SHARED.meter = meter
      return {
        get customerId() {
          return String(SHARED.meter?.customerId)
        },
        get feature() {
          return String(SHARED.meter?.feature)
        },
        get key() {
          return String(SHARED.meter?.key)
        },
        get remaining() {
          return SHARED.meter?.remaining ?? null
        },
        add: (units) => SHARED.meter?.add(units),
        addModelUsage: (usage) => SHARED.meter?.addModelUsage(usage),
        followModelUsage: (soFar) => SHARED.meter?.followModelUsage(soFar),
      }
    }),
    breaks: ['C66.2'],
  },
  {
    name: 'hides the meter from handlers',
    changes: {
      async visit(...input) {
        const passage = await PLAIN.visit(...input)
        return passage.kind === 'proceed' ? { ...passage, meter: undefined } : passage
      },
    },
    breaks: ['C39', 'C55.1', 'C66.1'],
  },
  {
    name: 'reads the body of a billing request as Latin-1',
    changes: {
      mountBilling(listener, exchange, mount) {
        const { req, body } = exchange
        if (req.method !== 'POST') return PLAIN.mountBilling(listener, exchange, mount)
        const taken = body === undefined ? buffer(req) : Promise.resolve(Buffer.from(JSON.stringify(body)))
        void taken.then((bytes) => {
          Object.assign(req, { rawBody: Buffer.from(bytes.toString('latin1'), 'utf8') })
          PLAIN.mountBilling(listener, exchange, mount)
        })
      },
    },
    breaks: ['C59.3', 'C60.1', 'C60.2', 'C60.3'],
  },
  {
    name: 'answers for the billing routes when a body is no JSON',
    changes: {
      mountBilling(listener, exchange, mount) {
        const { req, res } = exchange
        if (req.method !== 'POST') return PLAIN.mountBilling(listener, exchange, mount)
        void buffer(req).then((bytes) => {
          try {
            JSON.parse(bytes.toString())
          } catch {
            return void res.writeHead(400).end()
          }
          Object.assign(req, { rawBody: bytes })
          PLAIN.mountBilling(listener, exchange, mount)
        })
      },
    },
    breaks: ['C59.3'],
  },
  {
    name: 'loses the query of billing requests',
    changes: {
      mountBilling(listener, exchange, mount) {
        exchange.req.url = exchange.path
        PLAIN.mountBilling(listener, exchange, mount)
      },
    },
    breaks: ['C59.2', 'C59.3', 'C62'],
  },
  {
    name: 'puts another Response in the place of the global one',
    changes: {
      mountBilling(listener, exchange, mount) {
        const { Response: own } = globalThis
        globalThis.Response = class extends own {}
        exchange.res.on('close', () => setTimeout(() => (globalThis.Response = own), RESTORE_AFTER_MS))
        PLAIN.mountBilling(listener, exchange, mount)
      },
    },
    breaks: ['C63'],
  },
  {
    name: 'hangs up on requests that are under way when it shuts down',
    changes: {
      stop(server) {
        ;(server as Server).closeAllConnections()
        return PLAIN.stop(server)
      },
    },
    breaks: ['C68'],
  },
  {
    name: 'starts with a mistake and tells nobody',
    changes: {
      createGate(sample, meter, options) {
        try {
          return PLAIN.createGate(sample, meter, options)
        } catch {
          return PLAIN.createGate(sample, { feature: undefined, options: {} }, {})
        }
      },
    },
    breaks: ['C69.1', 'C69.2', 'C69.3'],
  },
  {
    name: 'refuses requests with a trace that it cannot read',
    changes: {
      visit(gate, exchange, label) {
        if (exchange.header('traceparent')?.startsWith('00-4') === false) throw new Error('no trace')
        return PLAIN.visit(gate, exchange, label)
      },
    },
    breaks: ['C72'],
  },
]

/** Longer than it takes a client to look. */
const RESTORE_AFTER_MS = 50

const AFTERWARDS: PlainGate[] = []

/** `PLAIN.gatesFor` does not look at the request. */
const PROBE = {} as Exchange

function plainMeter({
  customerId,
  feature,
  key,
  remaining,
}: MeterContext): Pick<MeterContext, 'customerId' | 'feature' | 'key' | 'remaining'> {
  return { customerId, feature, key, remaining }
}

/** Visits a gate without the core's `enter`, and so without its guard, and settles a finished answer when it is told to. */
async function settleAt(
  gate: PlainGate,
  exchange: Exchange,
  label: string | null,
  listen: (settle: () => void) => unknown,
): ReturnType<PlainParts['visit']> {
  const { res } = exchange
  const admitted: { ticket?: Ticket } = {}
  listen(() => {
    if (admitted.ticket !== undefined) gate.settle(admitted.ticket, { kind: 'finished', status: res.statusCode }, exchange)
  })
  const verdict = await gate.admit({ ...requestOf(exchange, label), raw: exchange })
  if (verdict.kind === 'refused') return verdict
  if (verdict.kind === 'unmetered') return { kind: 'proceed', meter: undefined, headers: [] }
  admitted.ticket = verdict.ticket
  return { kind: 'proceed', meter: verdict.ticket.meter, headers: verdict.headers }
}
