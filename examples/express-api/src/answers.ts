/** What the routes answer: what the log recorded (in a replay), or something small and useful (live). */

import { once } from 'node:events'
import type { ErrorRequestHandler, Request, RequestHandler, Response } from 'express'
import { BYTES_HEADER, STATUS_HEADER } from 'farebox/replay'

export interface Answers {
  readonly answer: RequestHandler
  /** How large the body will be. */
  bytesOf(request: Request): number
}

/** Answers with the status and the size in the replay's headers, and throws for a recorded 500. */
export const recordedAnswer: Answers = {
  bytesOf: (request) => Number(request.get(BYTES_HEADER) ?? 0),
  async answer(request, response) {
    const status = Number(request.get(STATUS_HEADER) ?? 200)
    if (status === 500) throw new Error('The log recorded a 500 here')
    response.status(isFinal(status) ? status : 500)
    await sendBytes(response, recordedAnswer.bytesOf(request))
  },
}

/** A download of a quarter of a megabyte: the free plan holds four of them. */
const LIVE_DOWNLOAD_BYTES = 250_000

/** Describes the call and what is left of the allowance; a download has bytes instead. */
export const liveAnswer: Answers = {
  bytesOf: () => LIVE_DOWNLOAD_BYTES,
  async answer(request, response) {
    if (request.meter?.feature === 'downloads') return sendBytes(response, LIVE_DOWNLOAD_BYTES)
    const { customerId, feature, remaining } = request.meter ?? {}
    response.json({ path: request.path, customer: customerId, feature, remaining })
  },
}

/** Express's own handler would print the stack of each error, and a log may hold thousands of them. */
export const answerError: ErrorRequestHandler = (error: { readonly status?: number }, _request, response, next) => {
  if (response.headersSent) return next(error)
  response
    .status(error.status ?? 500)
    .type('text/plain')
    .send('The request failed\n')
}

/** Logs hold words that are no answers, such as nginx's 000. */
function isFinal(status: number): boolean {
  return status >= 200 && status <= 999
}

/** One block for every answer: nobody reads what is in it, and a large answer costs no memory. */
const BLOCK = Buffer.alloc(256 * 1024, 'farebox ')

/** Sends a body of this size and waits whenever the client reads more slowly. 204, 304 and HEAD have no body. */
async function sendBytes(response: Response, bytes: number): Promise<void> {
  const hasBody = response.statusCode !== 204 && response.statusCode !== 304
  if (!hasBody) return void response.end()
  response.type('application/octet-stream').set('content-length', String(bytes))
  if (response.req.method === 'HEAD') return void response.end()

  for (let left = bytes; left > 0 && !response.destroyed;) {
    const part = left < BLOCK.length ? BLOCK.subarray(0, left) : BLOCK
    left -= part.length
    if (!response.write(part)) await drained(response)
  }
  response.end()
}

/** Resolves when there is room again, or when the client has gone. */
async function drained(response: Response): Promise<void> {
  const ended = new AbortController()
  try {
    await Promise.race([once(response, 'drain', ended), once(response, 'close', ended)])
  } finally {
    ended.abort()
  }
}
