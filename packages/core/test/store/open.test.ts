/** Processes that start together on a file that none of them has made before. */

import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const PROCESS = fileURLToPath(new URL('open-process.ts', import.meta.url))
/** Of a hundred files, two to five met `SQLITE_BUSY` in some process as long as opening was tried once. */
const FILES = 100
const PROCESSES = 4

it('opens a new file in each of the processes that start at once', { timeout: 60_000 }, async ({ onTestFinished }) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'farebox-open-'))
  const files = Array.from({ length: FILES }, (_, i) => path.join(folder, `${i}.db`))
  const children = Array.from({ length: PROCESSES }, () =>
    spawn(process.execPath, ['--conditions=farebox-source', PROCESS, ...files], { stdio: ['pipe', 'pipe', 'inherit'] }),
  )
  onTestFinished(() => {
    for (const child of children) child.kill('SIGKILL')
    rmSync(folder, { recursive: true })
  })
  await Promise.all(children.map(({ stdout }) => new Promise((resolve) => stdout.once('readable', resolve))))
  const firstAt = Date.now() + 100
  for (const { stdin } of children) stdin.end(`${firstAt}\n`)
  expect(await Promise.all(children.map(({ stdout }) => text(stdout)))).toEqual(children.map(() => 'ready\nopened 100\n'))
})
