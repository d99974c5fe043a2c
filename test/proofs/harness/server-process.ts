/** Starts servers as processes of their own, kills them, and lets none outlive the proof. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { createInterface } from 'node:readline'
import type { CrashPoint } from './crash.ts'
import type { ServerSettings } from './settings.ts'

const SERVER = path.join(import.meta.dirname, 'server.ts')

/** A server that is not up by then never will be. */
const START_WITHIN_MS = 8_000

export interface ServerProcess {
  readonly port: number
  readonly pid: number
  /** Status or signal of the end. */
  readonly ended: Promise<number | NodeJS.Signals>
  readonly hasEnded: () => boolean
  /** What it said: errors that no answer could carry, and that it has stopped. */
  readonly said: readonly { readonly error?: string; readonly stopped?: boolean; readonly atMs: number }[]
  kill(signal?: NodeJS.Signals): void
}

export interface StartOptions {
  readonly crashAt?: CrashPoint | `${CrashPoint}:${number}`
}

/** The process ended before it was ready. */
export class StartFailure extends Error {}

const alive = new Set<ChildProcess>()

/** Resolves when the server answers requests. Rejects with `StartFailure`. */
export async function startServer(settings: ServerSettings, { crashAt }: StartOptions = {}): Promise<ServerProcess> {
  const { CRASH_AT: _own, ...env } = process.env
  const child = spawn(process.execPath, ['--conditions=farebox-source', SERVER, JSON.stringify(settings)], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: crashAt === undefined ? env : { ...env, CRASH_AT: crashAt },
  })
  alive.add(child)
  const ended = endOf(child)
  let complaint = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text))
  const said: { error?: string; stopped?: boolean; atMs: number }[] = []
  const port = await new Promise<number>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const fact: { port?: number; error?: string; stopped?: boolean } = JSON.parse(line)
      if (fact.port === undefined) said.push({ ...fact, atMs: performance.now() })
      else resolve(fact.port)
    })
    void ended.then((end) =>
      reject(new StartFailure(`The server ended with ${end} before it was ready: ${complaint.slice(0, 500)}`)),
    )
    setTimeout(() => reject(new StartFailure('The server did not start in time')), START_WITHIN_MS).unref()
  })
  return {
    port,
    pid: child.pid ?? 0,
    ended,
    hasEnded: () => !alive.has(child),
    said,
    kill: (signal = 'SIGKILL') => void child.kill(signal),
  }
}

/** Ends what is still running. For `afterEach`. */
export async function killAll(): Promise<void> {
  const left = [...alive].filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null)
  for (const child of left) child.kill('SIGKILL')
  await Promise.all(left.map((child) => once(child, 'exit')))
}

async function endOf(child: ChildProcess): Promise<number | NodeJS.Signals> {
  const [status, signal]: [number | null, NodeJS.Signals | null] = (await once(child, 'exit')) as [
    number | null,
    NodeJS.Signals | null,
  ]
  alive.delete(child)
  return status ?? signal ?? 0
}
