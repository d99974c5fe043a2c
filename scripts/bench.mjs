// What `npm run bench` runs once Node 24 and the workspace are there: builds the packages, then measures what users install.
import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')
const shell = process.platform === 'win32'
const built = spawnSync('turbo', ['run', 'build', '--output-logs=errors-only'], { cwd: root, stdio: 'inherit', shell })
if (built.status !== 0) process.exit(built.status ?? 1)
const main = path.join(root, 'bench', 'src', 'main.ts')
process.exit(spawnSync(process.execPath, [main, ...process.argv.slice(2)], { cwd: root, stdio: 'inherit' }).status ?? 1)
