// Runs a project command on a machine that has nothing but Node 18+ and npm: brings Node 24 and pnpm from the npm
// registry into .tooling/ when they are absent, installs the workspace when the lock file is newer, then runs the command.
// Usage: node scripts/run.mjs <command> [arguments], where the command is looked up in the workspace's node_modules/.bin.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { constants } from 'node:os'
import { fileURLToPath } from 'node:url'

const NODE = '24.21.0'
const PNPM = '12.21.0'
const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')
const tooling = path.join(root, '.tooling', `node-${NODE}-pnpm-${PNPM}`)
const { signals } = constants
const PARENT_CHECK_MS = 500
const windows = process.platform === 'win32'
const args = process.argv.slice(2)
const say = (line) => process.stderr.write(`farebox: ${line}\n`)

const env = { ...process.env }
// "npm run" exports its own settings; these three would misdirect the nested npm and pnpm. Registry and certificates stay.
for (const key of ['npm_config_prefix', 'npm_config_local_prefix', 'npm_config_globalconfig']) delete env[key]
env.TURBO_TELEMETRY_DISABLED = '1'
env.DO_NOT_TRACK = '1'

// Ctrl+C reaches the command too: it ends by itself, says how to go on, and this process ends with its status.
process.on('SIGINT', () => {})

function run(command, commandArgs, options = {}) {
  const result = spawnSync(command, commandArgs, { stdio: 'inherit', cwd: root, env, shell: windows, ...options })
  if (result.error) say(`could not run ${command}: ${result.error.message}`)
  if (result.status !== 0) process.exit(result.status ?? 1)
}

const isCurrent = Number(process.versions.node.split('.')[0]) >= 24
const nodePackage = `node-${windows ? 'win' : process.platform}-${process.arch}`

const hasNode = isCurrent || existsSync(path.join(tooling, 'node_modules', nodePackage))

// The tools may have been fetched by a run on a newer Node, which brought none of its own.
if (!hasNode || !existsSync(path.join(tooling, 'complete'))) {
  say(
    `preparing the tools (pnpm ${PNPM}${isCurrent ? '' : ` and Node ${NODE}, because this is Node ${process.versions.node}`}), once, into .tooling/`,
  )
  mkdirSync(tooling, { recursive: true })
  writeFileSync(path.join(tooling, 'package.json'), '{}')
  const wanted = [`pnpm@${PNPM}`, ...(isCurrent ? [] : [`${nodePackage}@${NODE}`])]
  // Working directory, not --prefix: --prefix also moves npm's global configuration file and loses machine-wide settings.
  const quiet = ['--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  run('npm', ['install', ...quiet, ...wanted], { cwd: tooling, stdio: ['ignore', 'ignore', 'inherit'] })
  writeFileSync(path.join(tooling, 'complete'), '')
}

const nodeBin = isCurrent ? path.dirname(process.execPath) : path.join(tooling, 'node_modules', nodePackage, 'bin')
// pnpm 12 is a native program in a package of its own; the launcher in .bin needs an install script that did not run.
const pnpmBin = path.join(tooling, 'node_modules', '@pnpm', `exe.${windows ? 'win32' : process.platform}-${process.arch}`)
env.PATH = [path.join(root, 'node_modules', '.bin'), nodeBin, pnpmBin, env.PATH].join(path.delimiter)

if (needsInstall()) {
  say('installing the workspace')
  const frozen = existsSync(path.join(root, 'pnpm-lock.yaml')) && process.env.FAREBOX_LOCK !== 'update'
  run('pnpm', ['install', frozen ? '--frozen-lockfile' : '--no-frozen-lockfile', '--reporter=append-only', '--loglevel=warn'])
}
if (args.length > 0) {
  say(`running ${args.join(' ')}`)
  handOver(args[0], args.slice(1))
}

/** Runs the last command, which may stay: it is told when this process is to end, and this process ends with its status. */
function handOver(command, commandArgs) {
  const child = spawn(command, commandArgs, { stdio: 'inherit', cwd: root, env, shell: windows })
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  // npm ends the shell between it and this process, and the shell tells nobody: that the parent changed is all there is to see.
  const parent = process.ppid
  setInterval(() => process.ppid === parent || child.kill('SIGTERM'), PARENT_CHECK_MS).unref()
  child.on('error', (error) => {
    say(`could not run ${command}: ${error.message}`)
    process.exitCode = 1
  })
  child.on('exit', (status, signal) => {
    process.exitCode = status ?? (signal === null ? 1 : 128 + signals[signal])
  })
}

/** True when nothing was installed yet, or a manifest or the lock file is newer than what was installed. */
function needsInstall() {
  const stamp = path.join(root, 'node_modules', '.modules.yaml')
  if (!existsSync(stamp)) return true
  const installedAt = statSync(stamp).mtimeMs
  return manifests().some((file) => statSync(file).mtimeMs > installedAt)
}

function manifests() {
  const files = ['package.json', 'pnpm-workspace.yaml', 'pnpm-lock.yaml'].map((name) => path.join(root, name))
  for (const folder of ['packages', 'examples', 'test', 'bench']) {
    for (const name of readdirSync(path.join(root, folder), { withFileTypes: true })) {
      if (name.isDirectory()) files.push(path.join(root, folder, name.name, 'package.json'))
    }
    files.push(path.join(root, folder, 'package.json'))
  }
  return files.filter((file) => existsSync(file))
}
