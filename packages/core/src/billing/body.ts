/** Bodies before they are believed: their kind, their size as it arrives, and how deep they go. */

import { Problem } from './problems.ts'

/** One event, one customer: 256 kB is far more than any of them needs. */
export const MAX_BODY_BYTES: number = 256 * 1024
/** A batch of 1,000 events. */
export const MAX_BATCH_BYTES: number = 1024 * 1024
/** Our deepest body has four levels. */
const MAX_DEPTH = 8

/** Reads the text of a JSON body. Throws the problems `unsupported_media_type`, `body_too_large`, `invalid_json`. */
export async function readJsonText(request: Request, maxBytes: number, kinds: readonly string[]): Promise<string> {
  refuseOtherKinds(request, kinds)
  const text = await readText(request, maxBytes)
  if (depthOf(text) > MAX_DEPTH) throw new Problem('invalid_json', `Expected at most ${MAX_DEPTH} levels of JSON, got more.`)
  try {
    JSON.parse(text)
    return text
  } catch {
    throw new Problem(
      'invalid_json',
      text === '' ? 'Expected a JSON body, got none.' : 'Expected a JSON body, got text that is not JSON.',
    )
  }
}

/** The same, parsed. */
export async function readJson(request: Request, maxBytes: number, kinds: readonly string[]): Promise<unknown> {
  return JSON.parse(await readJsonText(request, maxBytes, kinds)) as unknown
}

/**
 * A body that does not say its kind has to be empty. Whether it is shows only where it is read: over HTTP/2 a body needs
 * no length, and an empty one may come without one too. Throws the problem `unsupported_media_type`.
 */
export async function refuseUnlabelled(request: Request, kinds: readonly string[]): Promise<void> {
  if (isAnnounced(request.headers)) refuseOtherKinds(request, kinds)
  const reader = request.body?.getReader()
  for (;;) {
    const { done, value } = (await reader?.read()) ?? END
    if (done) return
    if (value.byteLength === 0) continue
    await reader?.cancel()
    refuseOtherKinds(request, kinds)
  }
}

/** RFC 9112 section 6.3: over HTTP/1 whoever sends a body gives its length or a transfer coding. */
function isAnnounced(headers: Headers): boolean {
  return Number(headers.get('content-length') ?? 0) !== 0 || headers.has('transfer-encoding')
}

function refuseOtherKinds({ headers }: Request, kinds: readonly string[]): void {
  const encoding = headers.get('content-encoding')
  if (encoding !== null && encoding.toLowerCase() !== 'identity')
    throw new Problem(
      'unsupported_media_type',
      `Expected a body that is not compressed, got content-encoding ${encoding.slice(0, 32)}.`,
    )
  const kind = mediaType(headers.get('content-type'))
  if (!kinds.includes(kind))
    throw new Problem(
      'unsupported_media_type',
      `Expected content-type ${kinds.join(' or ')}, got ${kind.slice(0, 64) || 'none'}.`,
    )
}

/** The media type without parameters, in lower case. */
export function mediaType(contentType: string | null): string {
  return (contentType ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
}

const END = { done: true, value: undefined } as const

/** Counted as it arrives: what a header says of the size is only a promise. */
async function readText(request: Request, maxBytes: number): Promise<string> {
  const tooLarge = new Problem('body_too_large', `Expected a body of at most ${maxBytes} bytes, got more: send less at once.`)
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) throw tooLarge
  const reader = request.body?.getReader()
  const chunks: Uint8Array[] = []
  let bytes = 0
  for (;;) {
    const { done, value } = (await reader?.read()) ?? END
    if (done) break
    bytes += value.byteLength
    if (bytes > maxBytes) {
      await reader?.cancel()
      throw tooLarge
    }
    chunks.push(value)
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks))
  } catch {
    throw new Problem('invalid_json', 'Expected a body in UTF-8, got bytes that are not.')
  }
}

/** Brackets that are open at once, outside of strings. */
function depthOf(text: string): number {
  let depth = 0
  let deepest = 0
  let isString = false
  for (let i = 0; i < text.length; i += 1) {
    const character = text[i]
    if (isString) {
      if (character === '\\') i += 1
      else if (character === '"') isString = false
    } else if (character === '"') isString = true
    else if (character === '{' || character === '[') deepest = Math.max(deepest, (depth += 1))
    else if (character === '}' || character === ']') depth -= 1
  }
  return deepest
}
