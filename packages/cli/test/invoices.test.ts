/** `farebox invoices` through the real program. */

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { sqlite } from '@farebox/core/sqlite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { invoicesCommand } from '../src/invoices/command.ts'
import { contentOf } from './fixtures/billed.ts'
import { runFarebox } from './fixtures/run-farebox.ts'
import { sell, soldAt } from './fixtures/sold.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'farebox-test-'))
const database = path.join(folder, 'sold.db')
beforeAll(() => sell(sqlite({ path: database }), soldAt({ base: '29.00', unit: '0.10' })))
afterAll(() => rmSync(folder, { recursive: true }))

const invoices = (...args: string[]) => runFarebox(folder, ['invoices', '--database', database, ...args])

describe('farebox invoices', () => {
  it('lists all, those of a customer, those in a status, and those that are named', async () => {
    const all = await invoices()
    expect(all.status).toBe(0)
    expect(all.stdout).toMatch(/^number +customer +type +status +issued +period +total +due\n-+\nFB-000001 /)
    expect(all.stdout.trim().split('\n').length - 2).toBe(contentOf(database).invoices.length)
    const ofAda = await invoices('--customer', 'ada')
    expect(ofAda.stdout).toMatch(/ada +plan_change +open/)
    expect(ofAda.stdout).not.toMatch(/eve/)
    expect((await invoices('--status', 'paid')).stdout).not.toMatch(/open/)
    const named = await invoices('FB-000002')
    expect(named.stdout.trim().split('\n')).toHaveLength(3)
    expect(named.stderr).toBe('1 invoices\n')
  }, 30_000)

  it('writes each as a page, as JSON and as a PDF', async () => {
    const ended = await invoices(
      '--customer',
      'eve',
      '--html',
      'pages',
      '--json',
      'documents',
      '--pdf',
      'papers',
      '--seller',
      'Acme\\nMain St 1',
    )
    expect(ended.stderr).toMatch(/^\d invoices, written into pages, documents, papers\n$/)
    const [first = ''] = readdirSync(path.join(folder, 'documents'))
    const document: unknown = JSON.parse(readFileSync(path.join(folder, 'documents', first), 'utf8'))
    expect(document).toMatchObject({ number: first.replace('.json', ''), customer: 'eve', currency: 'USD' })
    expect(readFileSync(path.join(folder, 'pages', first.replace('json', 'html')), 'utf8')).toMatch(/Acme.*Main St 1/s)
    expect(
      readFileSync(path.join(folder, 'papers', first.replace('json', 'pdf')))
        .subarray(0, 5)
        .toString(),
    ).toBe('%PDF-')
  }, 30_000)

  it('says in one sentence what the user can mend', async () => {
    await expect(invoicesCommand(['FB-999999'], { database })).rejects.toThrow(
      /^There is no invoice FB-999999: farebox invoices lists/,
    )
    await expect(invoicesCommand([], { database, html: database })).rejects.toThrow(/^The folder .* cannot be made/)
  }, 30_000)
})
