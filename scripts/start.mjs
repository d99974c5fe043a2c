// What `npm start` runs once Node 24 and the workspace are there: builds the packages, then hands over to the example,
// which replays a log, bills the month and leaves its API running. `npm start -- --help` shows the options.
import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')
const options = await readOptions()
if (options !== null) {
  build()
  const { start } = await import('../examples/express-api/src/start.ts')
  process.exitCode = await start(options)
}

/** Null when the help was shown or an option is wrong; both are printed already. */
async function readOptions() {
  const { readStartOptions, CommanderError } = await import('../examples/express-api/src/start-options.ts')
  try {
    return readStartOptions(process.argv.slice(2))
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    process.exitCode = error.exitCode
    return null
  }
}

/** Quiet unless it fails. What is built already is taken from turbo's cache. */
function build() {
  process.stderr.write('farebox: building the packages\n')
  const args = ['run', 'build', '--filter=@farebox/example-express-api^...', '--output-logs=errors-only', '--log-prefix=none']
  const { status, stdout, stderr } = spawnSync('turbo', args, {
    cwd: root,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  })
  if (status === 0) return
  process.stderr.write(`${stdout ?? ''}${stderr ?? ''}\nfarebox: the packages could not be built\n`)
  process.exit(1)
}
