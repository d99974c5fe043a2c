/** The published packages as tarballs, made of what is built, the way that publishing makes them. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll } from 'vitest'
import { packageFolders, readSource, ROOT } from '../structure/source.ts'
import { run } from './run.ts'

export interface Manifest {
  readonly name: string
  readonly version: string
  readonly private?: boolean
  readonly exports: Readonly<Record<string, unknown>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
}

export const published: readonly Manifest[] = packageFolders()
  .map((folder) => JSON.parse(readSource(`${folder}/package.json`).text) as Manifest)
  .filter((manifest) => manifest.private !== true)

/** Packs all of them into one folder. */
export async function pack(folder: string): Promise<void> {
  const filters = published.map(({ name }) => `--filter=${name}`)
  await run(ROOT, 'pnpm', [...filters, '--recursive', 'pack', '--pack-destination', folder])
}

/** Where a package is in the folder that it was packed into. */
export function tarballOf({ name, version }: Manifest, folder: string): string {
  return path.join(folder, `${name.replace('@', '').replace('/', '-')}-${version}.tgz`)
}

/** The command line and the suite: programs of today's Node and of Vitest, which have no use for CommonJS. */
export function isEsmOnly({ exports }: Manifest): boolean {
  return !JSON.stringify(exports).includes('"require"')
}

/** A folder that is there until the tests of the file are over. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'farebox-consumers-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
