/** CPU time, throughput and latency of each variant, alternating, the server on one core and the load on the other. */

import { type ChildProcess, fork, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, cpus, tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { load, type LoadResult } from './load.ts'
import type { ServerUsage } from './server.ts'
import { CUSTOMERS } from './hosts/host.ts'

export interface HttpOptions {
  readonly framework: string
  readonly variants: readonly string[]
  readonly connections: number
  readonly rounds: number
  readonly warmUpMs: number
  readonly durationMs: number
}

export interface Run extends LoadResult {
  /** Microseconds of the server's CPU time per request. */
  readonly cpuUs: number
  /** What other programs took of all cores meanwhile, from 0 to 1: with them figures are worse, and ratios too. */
  readonly othersShare: number
}

/** Whether processes can be pinned to cores here. */
export const canPin: boolean = availableParallelism() >= 2 && spawnSync('taskset', ['-V']).status === 0

const SERVER = fileURLToPath(new URL('server.ts', import.meta.url))

/** Runs by variant, one per round. Each round starts with another variant. */
export async function measureHttp(options: HttpOptions, onRun: (line: string) => void): Promise<Map<string, Run[]>> {
  const runs = new Map<string, Run[]>(options.variants.map((name) => [name, []]))
  for (let round = 0; round < options.rounds; round += 1) {
    const order = options.variants.map((_, i) => options.variants[(i + round) % options.variants.length] as string)
    for (const name of order) {
      const run = await measureOne(name, options)
      runs.get(name)?.push(run)
      const { cpuUs, perSecond, p50Us, p99Us } = run
      onRun(
        `${options.framework}, ${options.connections} connections, round ${round + 1}: ${name}: ${cpuUs.toFixed(1)} µs, ${perSecond}/s, p50 ${p50Us} µs, p99 ${p99Us} µs`,
      )
    }
  }
  return runs
}

async function measureOne(name: string, { framework, connections, warmUpMs, durationMs }: HttpOptions): Promise<Run> {
  const folder = mkdtempSync(path.join(tmpdir(), 'farebox-bench-'))
  const pinned = canPin ? { execPath: 'taskset', execArgv: ['-c', '0', process.execPath, ...process.execArgv] } : {}
  const server = fork(SERVER, [framework, name, path.join(folder, 'bench.db')], pinned)
  const exited = new Promise((resolve) => server.once('exit', resolve))
  try {
    const { port } = await answerOf<{ port: number }>(server)
    await load({ port, connections, customers: CUSTOMERS, durationMs: warmUpMs })
    const before = await usageOf(server)
    const machine = machineTime()
    const own = process.cpuUsage()
    const result = await load({ port, connections, customers: CUSTOMERS, durationMs })
    const after = await usageOf(server)
    if (result.failures > 0)
      throw new Error(`${framework}, ${name}: ${result.failures} of ${result.requests} answers were not 200`)
    const { user, system } = process.cpuUsage(own)
    const serverUs = after.cpuUs - before.cpuUs
    const { busyUs, allUs } = machineTime()
    const othersUs = busyUs - machine.busyUs - serverUs - user - system
    return {
      ...result,
      cpuUs: serverUs / (after.requests - before.requests),
      othersShare: Math.max(0, othersUs / (allUs - machine.allUs)),
    }
  } finally {
    if (server.connected) server.disconnect()
    await exited
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Of all cores together, since the machine started. */
function machineTime(): { busyUs: number; allUs: number } {
  const times = cpus().map((cpu) => cpu.times)
  const busyMs = times.reduce((sum, { user, nice, sys, irq }) => sum + user + nice + sys + irq, 0)
  const idleMs = times.reduce((sum, { idle }) => sum + idle, 0)
  return { busyUs: busyMs * 1000, allUs: (busyMs + idleMs) * 1000 }
}

function usageOf(server: ChildProcess): Promise<ServerUsage> {
  const answer = answerOf<ServerUsage>(server)
  server.send('usage')
  return answer
}

function answerOf<T>(server: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    server.once('message', (message) => resolve(message as T))
    server.once('exit', (code) => reject(new Error(`The server ended with ${code}`)))
  })
}
