/** Lines of a file by their places: found in one reading, and read again one by one or in blocks. */

import { closeSync, createReadStream, fstatSync, openSync, readSync } from 'node:fs'
import { CommandError } from '../command-error.ts'

/** Bytes of the file. */
export interface Place {
  readonly offset: number
  readonly length: number
}

/** No line of an export is longer: an invoice with ten thousand lines has some 4 MB. */
const MAX_LINE_BYTES = 64 * 1024 * 1024

export interface PlacedLine {
  readonly place: Place
  readonly text: string
}

const LINE_FEED = 10

/** Blank lines have no place. */
export async function* placedLines(file: string): AsyncGenerator<PlacedLine> {
  let rest: Buffer = Buffer.alloc(0)
  let offset = 0
  for await (const chunk of createReadStream(file)) {
    rest = rest.length === 0 ? (chunk as Buffer) : Buffer.concat([rest, chunk as Buffer])
    let start = 0
    for (let end = rest.indexOf(LINE_FEED); end !== -1; end = rest.indexOf(LINE_FEED, start)) {
      const text = rest.toString('utf8', start, end)
      if (text.trim() !== '') yield { place: { offset: offset + start, length: end + 1 - start }, text }
      start = end + 1
    }
    rest = rest.subarray(start)
    offset += start
    if (rest.length > MAX_LINE_BYTES)
      throw new CommandError('A line is longer than any of an export: give what farebox export wrote')
  }
  const text = rest.toString('utf8')
  if (text.trim() !== '') yield { place: { offset, length: rest.length }, text }
}

export interface PlaceReader {
  read(place: Place): string
  /** Whole lines from an offset on, at most so many and none beyond `end`, and where the next one begins. */
  lines(from: number, end: number, limit: number): { readonly texts: readonly string[]; readonly next: number }
  close(): void
}

/** So much is read at once: some thousand events. */
const BLOCK_BYTES = 1024 * 1024

export function openPlaces(file: string): PlaceReader {
  const handle = openSync(file, 'r')
  const size = fstatSync(handle).size
  return { read, lines, close: () => closeSync(handle) }

  function bytes(offset: number, length: number): Buffer {
    const buffer = Buffer.allocUnsafe(length)
    let filled = 0
    while (filled < length) {
      const more = readSync(handle, buffer, filled, length - filled, offset + filled)
      if (more === 0) throw new CommandError('The file of the import changed while it was read: start again')
      filled += more
    }
    return buffer
  }

  function read({ offset, length }: Place): string {
    return bytes(offset, length).toString('utf8')
  }

  function lines(from: number, end: number, limit: number): { texts: string[]; next: number } {
    const texts: string[] = []
    let next = from
    let block = BLOCK_BYTES
    while (next < end && texts.length < limit) {
      const buffer = bytes(next, Math.min(block, Math.min(end, size) - next))
      let start = 0
      for (let at = buffer.indexOf(LINE_FEED); at !== -1 && texts.length < limit; at = buffer.indexOf(LINE_FEED, start)) {
        const text = buffer.toString('utf8', start, at)
        if (text.trim() !== '') texts.push(text)
        start = at + 1
      }
      next += start
      // A line that is longer than the block.
      if (start === 0) block *= 2
      if (start === 0 && buffer.length === end - next) {
        texts.push(buffer.toString('utf8'))
        next = end
      }
    }
    return { texts, next }
  }
}
