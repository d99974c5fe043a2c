/** Three servers on one file, some of which are killed and started again while clients go on asking. */

import { sleep } from './report.ts'
import { type ServerProcess, startServer, StartFailure } from './server-process.ts'
import type { ServerSettings } from './settings.ts'

export interface Fleet {
  /** A server that is up, or null while all of them are down. */
  any(): ServerProcess | null
  /** Kills at most so many of the servers that are up with SIGKILL at once, and starts them again. Gives how many it were. */
  killSome(count: number): number
  /** Resolves when all servers are up. */
  allUp(): Promise<void>
  /** Starts that failed because of the other processes, and were done again. */
  readonly failures: readonly string[]
  /** Ends all of them in order. */
  stop(): Promise<void>
}

/** A start that fails so often in a row is not bad luck. */
const MAX_STARTS = 5

export async function startFleet(settings: ServerSettings, size: number): Promise<Fleet> {
  const failures: string[] = []
  const servers: (ServerProcess | null)[] = await Promise.all(Array.from({ length: size }, () => start()))
  let restarts: Promise<unknown> = Promise.resolve()

  return { any, killSome, allUp: async () => void (await restarts), failures, stop }

  function any(): ServerProcess | null {
    const up = servers.filter((server) => server !== null && !server.hasEnded())
    return up[Math.floor(Math.random() * up.length)] ?? null
  }

  function killSome(count: number): number {
    const up = servers.flatMap((server, place) => (server === null ? [] : [{ server, place }])).sort(() => Math.random() - 0.5)
    const chosen = up.slice(0, count)
    restarts = Promise.all([restarts, ...chosen.map(({ server, place }) => killOne(server, place))])
    return chosen.length
  }

  async function killOne(server: ServerProcess, place: number): Promise<void> {
    server.kill('SIGKILL')
    servers[place] = null
    await server.ended
    servers[place] = await start()
  }

  async function start(): Promise<ServerProcess> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await startServer(settings)
      } catch (error) {
        if (!(error instanceof StartFailure) || tries === MAX_STARTS) throw error
        failures.push(error.message)
        await sleep(20)
      }
    }
  }

  async function stop(): Promise<void> {
    for (const server of servers) server?.kill('SIGTERM')
    for (const server of servers) await server?.ended
  }
}
