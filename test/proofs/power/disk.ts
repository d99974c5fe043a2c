/** Plays a record back to a cut and gives what the disk may hold then: all that was synced, and of the rest what chance leaves. */

import type { Random } from '../simulation/random.ts'

/** What becomes of writes that were not synced when the power went. */
export type Unsynced = 'none' | 'some' | 'torn'

type FileName = 'database' | 'wal'

export type Recorded =
  | { readonly kind: 'write'; readonly file: FileName; readonly offset: number; readonly bytes: Buffer }
  | { readonly kind: 'truncate'; readonly file: FileName; readonly length: number }
  | { readonly kind: 'unlink'; readonly file: FileName }
  /** A sync covers what was written before it began. `number` joins the two. */
  | { readonly kind: 'sync_began' | 'synced'; readonly file: FileName; readonly number: number }
  | { readonly kind: 'acknowledged'; readonly lines: readonly string[] }

export type Disk = Readonly<Record<FileName, Buffer | null>>

/** A file as the disk holds it; `bytes` has room to grow. */
interface Image {
  bytes: Buffer
  length: number
}

const HEAD_BYTES = 18
const SECTOR_BYTES = 512
const FILES: readonly (FileName | null)[] = [null, 'database', 'wal']

/** Reads the log of the shim. */
export function readRecord(log: Buffer): Recorded[] {
  const record: Recorded[] = []
  for (let at = 0; at + HEAD_BYTES <= log.length;) {
    const [operation, kind] = [log[at], log[at + 1] ?? 0]
    const [offset, length] = [Number(log.readBigUInt64LE(at + 2)), Number(log.readBigUInt64LE(at + 10))]
    const bytes = log.subarray(at + HEAD_BYTES, at + HEAD_BYTES + (operation === 2 ? length : 0))
    at += HEAD_BYTES + bytes.length
    const file = FILES[kind]
    if (kind === 3 && operation === 2) record.push({ kind: 'acknowledged', lines: bytes.toString().trimEnd().split('\n') })
    if (file === null || file === undefined) continue
    if (operation === 2) record.push({ kind: 'write', file, offset, bytes })
    if (operation === 3) record.push({ kind: 'truncate', file, length: offset })
    if (operation === 4) record.push({ kind: 'synced', file, number: offset })
    if (operation === 6) record.push({ kind: 'sync_began', file, number: offset })
    if (operation === 5) record.push({ kind: 'unlink', file })
  }
  return record
}

export interface Player {
  /** What the disk holds when the power goes before entry `index`, and what was acknowledged by then. Cuts are asked for in their order. */
  cutAt(index: number, unsynced: Unsynced, random: Random): { readonly disk: Disk; readonly acknowledged: readonly string[] }
}

export function createPlayer(record: readonly Recorded[]): Player {
  const synced: Record<FileName, Image | null> = { database: null, wal: null }
  const pending: Record<FileName, Recorded[]> = { database: [], wal: [] }
  const written: Record<FileName, number> = { database: 0, wal: 0 }
  /** Per sync that began: how much was written to its file by then. */
  const covered = new Map<number, number>()
  const acknowledged: string[] = []
  let played = 0

  return { cutAt }

  function cutAt(index: number, unsynced: Unsynced, random: Random): { disk: Disk; acknowledged: readonly string[] } {
    for (; played < index; played += 1) play(record[played] as Recorded)
    const left = (file: FileName): Buffer | null => {
      let image = copied(synced[file])
      for (const entry of pending[file]) image = survive(image, entry, unsynced, random)
      return image && image.bytes.subarray(0, image.length)
    }
    return { disk: { database: left('database'), wal: left('wal') }, acknowledged: [...acknowledged] }
  }

  function play(entry: Recorded): void {
    switch (entry.kind) {
      case 'acknowledged':
        return void acknowledged.push(...entry.lines)
      case 'sync_began':
        return void covered.set(entry.number, written[entry.file])
      case 'synced': {
        const uncovered = written[entry.file] - (covered.get(entry.number) ?? 0)
        const reached = pending[entry.file].splice(0, pending[entry.file].length - uncovered)
        for (const one of reached) synced[entry.file] = apply(synced[entry.file], one)
        return
      }
      case 'write':
      case 'truncate':
      case 'unlink':
        written[entry.file] += 1
        pending[entry.file].push(entry)
    }
  }
}

/** One unsynced entry meets the loss of power. Torn: each sector of a write reaches the disk or does not. */
function survive(image: Image | null, entry: Recorded, unsynced: Unsynced, random: Random): Image | null {
  if (unsynced === 'none') return image
  if (unsynced === 'some' || entry.kind !== 'write') return random.chance(0.5) ? apply(image, entry) : image
  const { file, offset, bytes } = entry
  let torn = image
  for (let from = 0; from < bytes.length; from += SECTOR_BYTES) {
    const sector = bytes.subarray(from, from + SECTOR_BYTES)
    if (random.chance(0.5)) torn = apply(torn, { kind: 'write', file, offset: offset + from, bytes: sector })
  }
  return torn
}

function apply(image: Image | null, entry: Recorded): Image | null {
  switch (entry.kind) {
    case 'unlink':
      return null
    case 'truncate': {
      const file = withRoom(image, entry.length)
      file.bytes.fill(0, entry.length)
      file.length = entry.length
      return file
    }
    case 'write': {
      const end = entry.offset + entry.bytes.length
      const file = withRoom(image, end)
      entry.bytes.copy(file.bytes, entry.offset)
      file.length = Math.max(file.length, end)
      return file
    }
    case 'sync_began':
    case 'synced':
    case 'acknowledged':
      return image
  }
}

/** The file with room for so many bytes; what was never written is zero. */
function withRoom(image: Image | null, length: number): Image {
  if (image !== null && image.bytes.length >= length) return image
  const bytes = Buffer.alloc(Math.max(length, 2 * (image?.bytes.length ?? 0)))
  image?.bytes.copy(bytes)
  return { bytes, length: image?.length ?? 0 }
}

function copied(image: Image | null): Image | null {
  return image === null ? null : { bytes: Buffer.from(image.bytes), length: image.length }
}
