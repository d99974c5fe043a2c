/** CloudEvents 1.0 over HTTP: structured, batched and binary, as usage. */

import { createHash } from 'node:crypto'
import { MAX_BATCH_BYTES, MAX_BODY_BYTES, mediaType, readJson, refuseUnlabelled } from './body.ts'
import { type CloudEventBody, MAX_EVENTS } from './inputs.ts'
import { Problem } from './problems.ts'

const ONE = 'application/cloudevents+json'
const BATCH = 'application/cloudevents-batch+json'
const DATA = 'application/json'

/** The longest key that the log keeps, of printable ASCII. */
const LOG_KEY = /^[\x21-\x7e]{1,255}$/

/** The events of a request, not checked yet. Throws the problems of a body, and `invalid_request` for too many or none. */
export async function readCloudEvents(request: Request): Promise<readonly unknown[]> {
  const kind = mediaType(request.headers.get('content-type'))
  if (request.headers.has('ce-specversion')) return [await readBinary(request, kind)]
  const body = await readJson(request, kind === BATCH ? MAX_BATCH_BYTES : MAX_BODY_BYTES, [ONE, BATCH])
  if (kind === ONE) return [body]
  if (Array.isArray(body) && body.length >= 1 && body.length <= MAX_EVENTS) return body as unknown[]
  const got = Array.isArray(body) ? String(body.length) : 'no list'
  throw new Problem('invalid_request', `Expected a list of 1 to ${MAX_EVENTS} events, got ${got}.`)
}

/** The attributes are headers, and the body is the data (CloudEvents HTTP binding 3.1). */
async function readBinary(request: Request, kind: string): Promise<unknown> {
  const attributes = [...request.headers].flatMap(([name, value]) =>
    name.startsWith('ce-') ? [[name.slice(3), decode(value)]] : [],
  )
  const data = kind === '' ? await refuseUnlabelled(request, [DATA]) : await readJson(request, MAX_BODY_BYTES, [DATA])
  return { ...Object.fromEntries(attributes), data }
}

/** Header values are percent-encoded outside of printable ASCII (HTTP binding 3.1.3.2). */
function decode(value: string): string {
  try {
    return decodeURIComponent(value)
  } catch {
    return value
  }
}

/**
 * `source` and `id` together name an event (CloudEvents 1.0, "id"), so together they are its key; hashed where the log could not
 * hold them. The length keeps `a` + `bc` and `ab` + `c` apart.
 */
export function keyOf({ source, id }: CloudEventBody): string {
  const key = `${source.length}:${source}:${id}`
  return LOG_KEY.test(key) ? key : `sha256:${createHash('sha256').update(key).digest('hex')}`
}
