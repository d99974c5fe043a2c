// What `npm run prove` runs once Node 24 and the workspace are there: every proof in its long form, one after the other, and
// then the table docs/proofs.md from what they report. `npm run prove -- --short` runs the forms that `npm test` runs.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')
const isShort = process.argv.includes('--short')
const filters = process.argv.slice(2).filter((argument) => argument !== '--short')
const results = path.join(root, 'var', 'proofs.jsonl')
mkdirSync(path.dirname(results), { recursive: true })
rmSync(results, { force: true })

const env = { ...process.env, PROVE: isShort ? 'short' : 'long', PROVE_RESULTS: results }
// One file at a time: proofs share the disk and the cores, and some of them measure.
const args = ['run', ...(filters.length > 0 ? filters.map((name) => `proofs/${name}`) : ['proofs']), '--no-file-parallelism']
const { status } = spawnSync('vitest', args, {
  cwd: path.join(root, 'test'),
  env,
  stdio: 'inherit',
  shell: process.platform === 'win32',
})
const lines = existsSync(results) ? readFileSync(results, 'utf8').trim().split('\n').filter(Boolean) : []
const table = tableOf(lines.map((line) => JSON.parse(line)))
process.stdout.write(table)
if (!isShort && filters.length === 0 && status === 0) writeFileSync(path.join(root, 'docs', 'proofs.md'), table)
process.exit(status ?? 1)

function tableOf(proofs) {
  const rows = proofs.map(
    ({ proof, mode, control, ...figures }) =>
      `| ${proof} | ${mode} | ${figuresOf(figures)} | ${control === undefined ? '–' : figuresOf(control)} |`,
  )
  return `# Proofs

Written by \`npm run prove\` on ${new Date().toISOString().slice(0, 10)}, Node ${process.versions.node}, ${process.platform} ${process.arch}.
Each proof has a witness that Farebox cannot write, and where a control is shown, the same harness caught a variant that was
broken on purpose. What each one does stands at the top of its file in \`test/proofs\`.

| proof | run | figures | control: a broken variant |
| --- | --- | --- | --- |
${rows.join('\n')}
`
}

function figuresOf(figures) {
  return Object.entries(figures)
    .map(
      ([name, value]) => `${words(name)} ${typeof value === 'object' && value !== null ? `(${figuresOf(value)})` : shown(value)}`,
    )
    .join(', ')
}

function words(name) {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
}

function shown(value) {
  return typeof value === 'number' ? value.toLocaleString('en-US', { maximumFractionDigits: 1 }) : String(value)
}
