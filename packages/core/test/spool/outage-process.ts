/**
 * A process that serves during an outage, says so, and lives until it is told what to do or is killed.
 * Usage: node outage-process.ts <database> <spool> <fault> <requests>. A line on its input is the next fault, or `none`.
 */

import { createInterface } from 'node:readline'
import { type Fault, serve, start } from './outage.ts'

const [database = '', spool = '', fault = '', requests = ''] = process.argv.slice(2)
const { farebox, outage, clock, gate } = start({ database, spool })
await farebox.ready
outage.fault = fault as Fault
const open = gate()
for (let i = 0; i < Number(requests); i += 1) {
  clock.advance(1_000)
  await serve(open)
}
process.stdout.write('served\n')
for await (const line of createInterface({ input: process.stdin })) outage.fault = line === 'none' ? null : (line as Fault)
