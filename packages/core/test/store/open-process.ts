/**
 * A process that opens new files, each at an instant that it is told, so that others open them at the same moment.
 * Usage: node open-process.ts <files> ... One line on its input: the first instant. It prints how many it opened, and why not the others.
 */

import { createInterface } from 'node:readline'
import { openDatabase } from '../../src/sqlite/open.ts'

const EVERY_MS = 20
const asleep = new Int32Array(new SharedArrayBuffer(4))

process.stdout.write('ready\n')
for await (const line of createInterface({ input: process.stdin })) {
  let opened = 0
  for (const [i, file] of process.argv.slice(2).entries()) {
    const leftMs = Number(line) + i * EVERY_MS - Date.now()
    if (leftMs > 0) Atomics.wait(asleep, 0, 0, leftMs)
    try {
      openDatabase(file).close()
      opened += 1
    } catch (error) {
      process.stdout.write(`${String(error)}\n`)
    }
  }
  process.stdout.write(`opened ${opened}\n`)
}
