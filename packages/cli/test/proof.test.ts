/** `farebox proof` and `farebox check-proof` through the real program, and checked by other means. */

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { sqlite } from '@farebox/core/sqlite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkProofCommand } from '../src/proof/check-command.ts'
import { proofCommand } from '../src/proof/command.ts'
import { runFarebox } from './fixtures/run-farebox.ts'
import { sell, soldAt } from './fixtures/sold.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'farebox-test-'))
const at = (name: string): string => path.join(folder, name)
const database = at('sold.db')

beforeAll(async () => {
  await sell(sqlite({ path: database }), soldAt({ base: '29.00', unit: '0.10' }))
  await runFarebox(folder, ['invoices', '--database', database, '--json', 'invoices'])
}, 30_000)
afterAll(() => rmSync(folder, { recursive: true }))

const proof = (...args: string[]) => runFarebox(folder, ['proof', '--database', database, ...args])
const check = (invoice: string, file: string) => runFarebox(folder, ['check-proof', invoice, file])

/** The program of docs/seal.md. */
function pythonOf(page: string): string {
  return /```python\n([\s\S]*?)```/.exec(page)?.[1] ?? ''
}

describe('farebox proof and check-proof', () => {
  it('prove an event by its key, and the proof holds for its invoice and for no other', async () => {
    const { status, stdout } = await proof('dee-0-3')
    expect(status).toBe(0)
    const printed = JSON.parse(stdout) as { invoice: string; event: object }
    expect(printed).toMatchObject({ event: { customer: 'dee', feature: 'calls', key: 'dee-0-3', charge: { unit: 'USD' } } })
    writeFileSync(at('proof.json'), stdout)
    const invoice = `invoices/${printed.invoice}.json`
    expect(await check(invoice, 'proof.json')).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^ok: on FB-\d+ are 4 calls of dee at 2026-01-\d\dT.*Z \(key dee-0-3\), one of 20 events\n$/),
    })

    writeFileSync(at('changed.json'), stdout.replace('"quantity": "4"', '"quantity": "3"'))
    const isNot = {
      status: 1,
      stderr: expect.stringMatching(/^farebox: The event is NOT under the seal of FB-\d+: one of the two files/),
    }
    expect(await check(invoice, 'changed.json')).toMatchObject(isNot)
    const other = JSON.parse((await proof('eve-0-3')).stdout) as { invoice: string }
    expect(await check(`invoices/${other.invoice}.json`, 'proof.json')).toMatchObject(isNot)
  }, 30_000)

  it('prove every event of an invoice, also by place, and the program of docs/seal.md agrees', async () => {
    const page = readFileSync(path.resolve(import.meta.dirname, '../../../docs/seal.md'), 'utf8')
    const python = spawnSync('python3', ['--version']).status === 0
    const { stdout } = await runFarebox(folder, ['export', '--database', database, '--format', 'csv'])
    const ofCem = stdout.split('\n').filter((line) => line.startsWith('cem,') && line.includes(',2026-01-'))
    expect(ofCem.length).toBeGreaterThan(9)
    for (const line of ofCem.slice(0, 2)) {
      const seq = line.split(',')[1] ?? ''
      const proved = await proof(seq, '--customer', 'cem')
      const printed = JSON.parse(proved.stdout) as { invoice: string; seal: object }
      const invoice = JSON.parse(readFileSync(at(`invoices/${printed.invoice}.json`), 'utf8')) as { seal: object }
      expect(printed.seal).toEqual(invoice.seal)
      if (python) expect(spawnSync('python3', ['-c', pythonOf(page)], { input: proved.stdout }).stdout.toString()).toBe('True\n')
    }
  }, 60_000)

  it('say in one sentence what the user can mend', async () => {
    const wanted = (name: string) => proofCommand(name, { database })
    await expect(wanted('nobody-knows')).rejects.toThrow(/^There is no event nobody-knows: give its key, or its seq/)
    await expect(wanted('ada-2-3')).rejects.toThrow(
      /^The event ada-2-3 of ada is on no final invoice yet: its period began on 2026-0/,
    )
    expect(() => checkProofCommand(at('nowhere.json'), at('proof.json'))).toThrow(/^There is no file .*nowhere\.json/)
    writeFileSync(at('draft.json'), '{"number":null,"seal":null}')
    expect(() => checkProofCommand(at('draft.json'), at('proof.json'))).toThrow(
      /draft\.json has no seal: give the JSON of a final invoice/,
    )
    writeFileSync(at('text.json'), 'hello')
    expect(() => checkProofCommand(at('text.json'), at('proof.json'))).toThrow(/text\.json holds no JSON object/)
    expect(() => checkProofCommand(at('proof.json'), at('draft.json'))).toThrow(
      /draft\.json is no proof: give what farebox proof printed/,
    )
  }, 30_000)
})
