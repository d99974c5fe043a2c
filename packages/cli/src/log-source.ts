/** Opens a log (a file, plain or gzipped, or standard input) and reads it line by line, as often as asked. */

import { createReadStream, createWriteStream } from 'node:fs'
import { mkdtemp, open, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pipeline } from 'node:stream'
import type { Readable } from 'node:stream'
import { pipeline as pipelined } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { CommandError, codeOf, messageOf } from './command-error.ts'

export interface LogSource {
  /** How messages name it. */
  readonly name: string
  /** Reads from the beginning. `onChunk` sees the bytes as they are read, decompressed. */
  lines(onChunk?: (chunk: Buffer) => void): AsyncGenerator<LogLine>
  /** Removes what was set aside for reading. */
  close(): Promise<void>
}

export interface LogLine {
  /** Counted from 1. */
  readonly number: number
  /** Latin-1: one character is one byte. Null when the line is longer than any web server writes. */
  readonly text: string | null
}

/** Web servers refuse request heads beyond 8 to 32 KiB, so a longer line is no line of a log. */
const MAX_LINE_LENGTH = 64 * 1024

/** How messages call what is wanted. */
const ACCESS_LOG = 'an access log'

/**
 * `location` is a path, or `-` for standard input, which is set aside in a temporary file because it is read twice. `kind` is what
 * messages call such a file.
 */
export async function openLog(location: string, stdin: Readable = process.stdin, kind: string = ACCESS_LOG): Promise<LogSource> {
  if (location === '-') return openStream(stdin, kind)
  const named: Named = { name: location, kind }
  await requireContent(location, named)
  return { name: location, lines: (onChunk) => readLines(location, named, onChunk), close: async () => {} }
}

interface Named {
  readonly name: string
  readonly kind: string
}

async function openStream(stdin: Readable, kind: string): Promise<LogSource> {
  const named: Named = { name: 'standard input', kind }
  const folder = await mkdtemp(path.join(tmpdir(), 'farebox-log-'))
  const file = path.join(folder, 'access.log')
  const close = async (): Promise<void> => rm(folder, { recursive: true, force: true })
  try {
    await pipelined(stdin, createWriteStream(file))
    await requireContent(file, named)
  } catch (error) {
    await close()
    throw error
  }
  return { name: named.name, lines: (onChunk) => readLines(file, named, onChunk), close }
}

async function requireContent(file: string, named: Named): Promise<void> {
  const { name, kind } = named
  const facts = await stat(file).catch((error: unknown) => {
    throw readError(error, named)
  })
  if (facts.isDirectory()) throw new CommandError(`${name} is a directory: give the path of ${kind} in it`)
  if (facts.isFile() && facts.size === 0) throw new CommandError(`${name} is empty: give ${kind} with at least one line`)
}

async function* readLines(file: string, named: Named, onChunk?: (chunk: Buffer) => void): AsyncGenerator<LogLine> {
  const splitter = lineSplitter()
  try {
    for await (const chunk of await contentOf(file)) {
      onChunk?.(chunk)
      yield* splitter.push(chunk.toString('latin1'))
    }
  } catch (error) {
    throw readError(error, named)
  }
  yield* splitter.end()
}

/** The file's bytes, decompressed when its first two say gzip: names lie, and standard input has none. */
async function contentOf(file: string): Promise<AsyncIterable<Buffer>> {
  await using handle = await open(file)
  const magic = new Uint8Array(2)
  await handle.read(magic, 0, 2, 0)
  const bytes = createReadStream(file)
  if (magic[0] !== 0x1f || magic[1] !== 0x8b) return bytes
  // The reader of the result meets every error of both; nothing is left to do when they end.
  return pipeline(bytes, createGunzip(), () => {})
}

/** Cuts chunks into lines. A final line feed ends the last line and starts none. */
function lineSplitter(): { push(chunk: string): Generator<LogLine>; end(): Generator<LogLine> } {
  let number = 0
  let rest = ''
  let isTooLong = false
  const take = (text: string): LogLine => {
    number += 1
    const line = { number, text: isTooLong || text.length > MAX_LINE_LENGTH ? null : withoutReturn(text) }
    isTooLong = false
    return line
  }
  return {
    *push(chunk) {
      const parts = (rest + chunk).split('\n')
      rest = parts.pop() ?? ''
      for (const part of parts) yield take(part)
      if (rest.length <= MAX_LINE_LENGTH) return
      isTooLong = true
      rest = ''
    },
    *end() {
      if (rest !== '' || isTooLong) yield take(rest)
    },
  }
}

function withoutReturn(text: string): string {
  return text.endsWith('\r') ? text.slice(0, -1) : text
}

function readError(error: unknown, { name, kind }: Named): unknown {
  switch (codeOf(error)) {
    case 'ENOENT':
    case 'ENOTDIR':
      return new CommandError(`There is no file ${name}: give the path of ${kind}, or - for standard input`)
    case 'EACCES':
    case 'EPERM':
      return new CommandError(`${name} may not be read by this user: change its permissions or copy it`)
    case 'Z_BUF_ERROR':
      return new CommandError(`${name} ends in the middle of its gzip data: it is truncated, so copy or download it again`)
    case 'Z_DATA_ERROR':
      return new CommandError(`${name} holds damaged gzip data (${messageOf(error)}): copy or download it again`)
    default:
      return error
  }
}
