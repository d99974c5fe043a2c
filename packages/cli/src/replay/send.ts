/** Sends one line of the log as a real HTTP request and reads the answer to its end. */

import http from 'node:http'
import type { IncomingMessage } from 'node:http'
import type { AccessLine, RequestLine } from '../access-log.ts'
import { CommandError, messageOf } from '../command-error.ts'
import { BYTES_HEADER, CLIENT_HEADER, LINE_HEADER, STATUS_HEADER, TIME_HEADER } from './headers.ts'
import { membersOf, outcomeOf } from './outcome.ts'
import type { Answer, Outcome } from './outcome.ts'
import type { Expected, ReplayServer } from './server.ts'

export interface Client {
  /** Resolves when the answer was read and the server has settled it. Redirects are not followed. */
  send(number: number, line: AccessLine): Promise<Outcome>
  stop(): void
}

/** A local application that is silent for so long hangs, and would hang the replay with it. */
const ANSWER_TIMEOUT_MS = 60_000
/** Problem documents are small; a longer one is read but not kept. */
const MAX_PROBLEM_BYTES = 64 * 1024

export function replayClient(server: ReplayServer, connections: number): Client {
  const agent = new http.Agent({ keepAlive: true, maxSockets: connections })
  return {
    async send(number, line) {
      if (line.request === null || !isSendable(line.request)) return { kind: 'unmatched' }
      const expected = server.expect(number)
      try {
        return await sendRequest({ agent, port: server.port, number, line, request: line.request, expected })
      } finally {
        expected.forget()
      }
    },
    stop: () => agent.destroy(),
  }
}

/** HTTP has no form for other methods, nor for targets with spaces or control characters. CONNECT asks for a tunnel. */
function isSendable({ method, target }: RequestLine): boolean {
  return http.METHODS.includes(method) && method !== 'CONNECT' && /^[\x21-\x7e\x80-\xff]+$/.test(target)
}

/** What is seen of an answer on the wire. */
type SeenAnswer = Omit<Answer, 'markedFeature'>

interface Sending {
  readonly agent: http.Agent
  readonly port: number
  readonly number: number
  readonly line: AccessLine
  readonly request: RequestLine
  readonly expected: Expected
}

async function sendRequest(sending: Sending): Promise<Outcome> {
  const { number, expected } = sending
  const answer = await exchange(sending).catch((error: unknown) => {
    if (!expected.hasArrived()) return null
    throw new CommandError(`Line ${number} got no whole answer from the application: ${messageOf(error)}`)
  })
  // HTTP's own parser refused the request before the application could see it: nothing was metered.
  if (answer === null || !expected.hasArrived()) return { kind: 'unmatched' }
  // The answer's last byte may be here before the server has closed it. Settling happens on close.
  await expected.closed
  failOnEdgeAnswer(number, answer)
  return outcomeOf({ ...answer, markedFeature: expected.markedFeature() })
}

async function exchange({ agent, port, number, line, request }: Sending): Promise<SeenAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const headers = {
    [CLIENT_HEADER]: line.client,
    [STATUS_HEADER]: String(line.status),
    [BYTES_HEADER]: String(line.bytes),
    [TIME_HEADER]: String(line.at),
    [LINE_HEADER]: String(number),
  }
  const { method, target } = request
  const outgoing = http.request({ agent, host: '127.0.0.1', port, method, path: target, headers, timeout: ANSWER_TIMEOUT_MS })
  outgoing.once('response', resolve)
  outgoing.on('error', reject)
  outgoing.once('timeout', () => outgoing.destroy(new Error(`nothing came for ${ANSWER_TIMEOUT_MS / 1000} seconds`)))
  outgoing.end()
  return readAnswer(await promise)
}

async function readAnswer(response: IncomingMessage): Promise<SeenAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const isProblem = response.headers['content-type']?.startsWith('application/problem+json') === true
  let problem = ''
  // Bodies are read and thrown away: a log of a few megabytes may stand for gigabytes of answers.
  if (isProblem)
    response.on(
      'data',
      (chunk: Buffer) => (problem = problem.length < MAX_PROBLEM_BYTES ? problem + chunk.toString('utf8') : problem),
    )
  else response.resume()
  response.once('end', resolve)
  response.once('error', reject)
  await promise
  const rateLimit = response.headers['ratelimit']
  return {
    status: response.statusCode ?? 0,
    rateLimit: typeof rateLimit === 'string' ? rateLimit : null,
    problem: isProblem ? problem : null,
  }
}

/** Answers of the meter that are no answers to the line: going on would bill a part of the log only. */
function failOnEdgeAnswer(number: number, { status, problem }: SeenAnswer): void {
  if (problem === null || (status !== 401 && status !== 503)) return
  const { code, detail } = membersOf(problem)
  if (code === 'unidentified_customer') {
    throw new CommandError(
      `Line ${number} was answered 401: give the context's identify to the meters, as in meter({ identify })`,
    )
  }
  if (code === 'store_unavailable') throw new CommandError(`Line ${number} could not be metered: ${String(detail)}`)
}
