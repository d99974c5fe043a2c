/** `farebox import` as a whole: brings what an export holds into a database, as `farebox move` does between two. */

import { createReadStream, createWriteStream } from 'node:fs'
import { mkdtemp, open, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { CommandError, codeOf, messageOf } from '../command-error.ts'
import { moveShown, resultText } from '../move/command.ts'
import { openStore } from '../move/stores.ts'
import { openLines } from './lines-store.ts'

export interface ImportCommandOptions {
  /** A path or a URL: empty, or begun by this command. */
  readonly database: string
}

/** `file` is a path, plain or gzipped, or `-` for standard input. */
export async function importCommand(file: string, { database }: ImportCommandOptions): Promise<void> {
  const name = file === '-' ? 'standard input' : file
  const folder = await mkdtemp(path.join(tmpdir(), 'farebox-import-'))
  try {
    const from = await openLines(await setAside(file, name, path.join(folder, 'export.jsonl')), name)
    const to = await openStore(database)
    try {
      const result = await moveShown(from, to)
      console.log(resultText(result))
      if (!result.ok) throw new CommandError('The database is not what the export says: import into an empty one')
    } finally {
      await to.close()
      await from.close()
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** A plain file is read where it is; standard input and what is compressed is set aside, because it is read more than once. */
async function setAside(file: string, name: string, aside: string): Promise<string> {
  try {
    if (file === '-') return await written(process.stdin, aside)
    if ((await stat(file)).isDirectory()) throw new CommandError(`${name} is a directory: give the path of an export in it`)
    return (await isGzipped(file)) ? await unzipped(file, aside) : file
  } catch (error) {
    throw readError(error, name)
  }
}

async function written(input: Readable, aside: string): Promise<string> {
  await pipeline(input, createWriteStream(aside))
  if (!(await isGzipped(aside))) return aside
  return unzipped(aside, `${aside}.plain`)
}

async function unzipped(file: string, aside: string): Promise<string> {
  await pipeline(createReadStream(file), createGunzip(), createWriteStream(aside))
  return aside
}

async function isGzipped(file: string): Promise<boolean> {
  await using handle = await open(file)
  const magic = new Uint8Array(2)
  await handle.read(magic, 0, 2, 0)
  return magic[0] === 0x1f && magic[1] === 0x8b
}

function readError(error: unknown, name: string): unknown {
  const code = codeOf(error)
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return new CommandError(`There is no file ${name}: give the path of an export, or - for standard input`)
  if (code.startsWith('Z_')) return new CommandError(`${name} holds damaged gzip data (${messageOf(error)}): export again`)
  return error
}
