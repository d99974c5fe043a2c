/** Runs the workload under the recording shim and gives what it wrote, synced and acknowledged, in order. */

import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { readRecord, type Recorded } from './disk.ts'

const here = path.dirname(fileURLToPath(import.meta.url))

/** The compiler that makes the shim, or why the proof cannot run here. */
export function findCompiler(): { readonly compiler: string } | { readonly missing: string } {
  if (process.platform !== 'linux') return { missing: `the recording shim is for Linux, this is ${process.platform}` }
  const compiler = ['cc', 'gcc', 'clang'].find((name) => spawnSync(name, ['--version']).status === 0)
  return compiler === undefined
    ? { missing: 'there is no C compiler (cc, gcc or clang) to make the recording shim' }
    : { compiler }
}

/** A folder in memory where there is one: the proof writes hundreds of databases, and no disk needs to see them. */
export function scratchFolder(): string {
  return mkdtempSync(path.join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'farebox-power-'))
}

export interface Recording {
  readonly compiler: string
  readonly durability: 'full' | 'process'
  /** Turns of the event loop with work in them. */
  readonly rounds: number
}

export function recordWorkload({ compiler, durability, rounds }: Recording): Recorded[] {
  const folder = scratchFolder()
  const [shim, log, database, acks] = ['shim.so', 'log', 'power.db', 'acks'].map((name) => path.join(folder, name)) as [
    string,
    string,
    string,
    string,
  ]
  try {
    run(compiler, ['-shared', '-fPIC', '-O1', '-o', shim, path.join(here, 'shim.c'), '-ldl'], {})
    const settings = JSON.stringify({ database, acks, durability, rounds })
    const env = { LD_PRELOAD: shim, RECORD_LOG: log, RECORD_DATABASE: database, RECORD_ACKS: acks }
    run(process.execPath, ['--conditions=farebox-source', path.join(here, 'workload.ts'), settings], env)
    return readRecord(readFileSync(log))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The workload ends by its own SIGKILL. */
function run(command: string, args: string[], env: Record<string, string>): void {
  const { status, signal, stderr, error } = spawnSync(command, args, {
    env: { PATH: process.env['PATH'], ...env },
    encoding: 'utf8',
  })
  if (error !== undefined || (status !== 0 && signal !== 'SIGKILL'))
    throw new Error(`${command} ended with ${status ?? signal}: ${stderr}`, { cause: error })
}
