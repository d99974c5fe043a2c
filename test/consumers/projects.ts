/** Projects that have our packages from the tarballs and everything else from the registry, as an application has them. */

import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { minVersion } from 'semver'
import { beforeAll } from 'vitest'
import { isEsmOnly, type Manifest, pack, published, tarballOf, temporaryFolder } from './packed.ts'
import { run, TIMEOUT_MS } from './run.ts'

export type End = 'oldest' | 'newest'

export type Dependencies = Readonly<Record<string, string>>

export interface Project {
  /** Also its folder. */
  readonly name: string
  /** The one of `programs/` that the project has under the names of `files`: the ending says what kind of module it is. */
  readonly program: string
  readonly tsconfigs: Readonly<Record<Resolution, { readonly compilerOptions: object; readonly files: readonly string[] }>>
  readonly dependencies: Dependencies
}

type Resolution = 'nodenext' | 'bundler'

/** The last TypeScript 5, which many applications still have. */
const OLDEST_TYPESCRIPT = '5.9.3'

/**
 * `skipLibCheck` is off, so that our declarations are checked too, with those of the frameworks. The decorators are Nest's;
 * they change nothing where there are none.
 */
const COMPILER = {
  target: 'es2024',
  types: ['node'],
  strict: true,
  skipLibCheck: false,
  experimentalDecorators: true,
  emitDecoratorMetadata: true,
}

/**
 * A project with one of our packages at an end of what the package lets an application bring: its peers in the lowest
 * versions of their ranges, or in the highest that are released.
 */
export function projectAt(end: End, program: string, beside: (peers: Dependencies) => Dependencies = () => ({})): Project {
  const manifest = packageOf(program)
  const ranges = Object.entries(manifest.peerDependencies ?? {})
  const lowest = (range: string): string => minVersion(range)?.version ?? range
  const peers = Object.fromEntries(ranges.map(([peer, range]) => [peer, end === 'oldest' ? lowest(range) : range]))
  return {
    name: `${program}-${end}`,
    program,
    tsconfigs: {
      nodenext: {
        compilerOptions: { ...COMPILER, module: 'nodenext' },
        files: isEsmOnly(manifest) ? ['program.mts'] : ['program.mts', 'program.cts'],
      },
      bundler: { compilerOptions: { ...COMPILER, module: 'esnext', moduleResolution: 'bundler' }, files: ['program.ts'] },
    },
    dependencies: {
      '@farebox/core': '*',
      [manifest.name]: '*',
      ...peers,
      ...beside(peers),
      '@types/node': versionHere('@types/node'),
      typescript: end === 'oldest' ? OLDEST_TYPESCRIPT : versionHere('typescript'),
    },
  }
}

function packageOf(program: string): Manifest {
  const found = published.find(({ name }) => name === program || name === `@farebox/${program}`)
  if (found === undefined) throw new Error(`no published package is called ${program}`)
  return found
}

/** The version that these tests have of a package. */
export function versionHere(name: string): string {
  return versionIn(path.resolve(import.meta.dirname, '..'), name)
}

/** The version that a project was given of a package. */
export function versionIn(folder: string, name: string): string {
  const manifest = readFileSync(path.join(folder, 'node_modules', name, 'package.json'), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version
}

/** Has the projects installed before the tests of the file begin. Each is in the folder of its name below the one returned. */
export function installed(projects: readonly Project[]): string {
  const folder = temporaryFolder()
  beforeAll(async () => {
    await pack(folder)
    await install(folder, projects)
  }, TIMEOUT_MS)
  return folder
}

/** Writes the projects below the folder that has the tarballs, and installs them all at once. */
async function install(folder: string, projects: readonly Project[]): Promise<void> {
  const workspace = {
    packages: projects.map(({ name }) => name),
    // Not in the registry yet: who asks for one of ours gets the tarball.
    overrides: Object.fromEntries(published.map((manifest) => [manifest.name, `file:${tarballOf(manifest, folder)}`])),
  }
  // JSON is YAML.
  write(folder, 'pnpm-workspace.yaml', workspace)
  write(folder, 'package.json', { private: true })
  for (const project of projects) lay(path.join(folder, project.name), project)
  // Nothing of ours is made while it is installed, and what others do then is their matter.
  await run(folder, 'pnpm', ['install', '--ignore-scripts', '--no-frozen-lockfile', '--reporter=append-only'])
}

function lay(folder: string, { name, program, tsconfigs, dependencies }: Project): void {
  mkdirSync(folder)
  write(folder, 'package.json', { name, private: true, type: 'module', dependencies })
  const source = path.join(import.meta.dirname, 'programs', `${program}.ts`)
  for (const [resolution, tsconfig] of Object.entries(tsconfigs)) {
    write(folder, `${resolution}.json`, tsconfig)
    for (const file of tsconfig.files) copyFileSync(source, path.join(folder, file))
  }
}

function write(folder: string, file: string, content: object): void {
  writeFileSync(path.join(folder, file), `${JSON.stringify(content, null, 2)}\n`)
}

/** Type-checks and compiles with the project's own compiler. */
export async function compile(folder: string, resolution: Resolution): Promise<void> {
  await node(folder, 'node_modules/typescript/bin/tsc', '-p', `${resolution}.json`)
}

export function node(folder: string, ...args: readonly string[]): Promise<string> {
  return run(folder, process.execPath, args)
}
