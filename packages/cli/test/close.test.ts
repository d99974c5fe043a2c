/** `farebox close` and `farebox verify` through the real program. */

import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import path from 'node:path'
import { createFarebox, fixedTaxRates, testClock } from '@farebox/core'
import { sqlite } from '@farebox/core/sqlite'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { closeCommand } from '../src/close/command.ts'
import { verifyCommand } from '../src/verify/command.ts'
import { catalog, contentOf, fill, JANUARY, MARCH } from './fixtures/billed.ts'
import { runFarebox } from './fixtures/run-farebox.ts'
import { sell, soldAt } from './fixtures/sold.ts'

// In the package, so that a module of options finds the packages of the workspace.
const folder = mkdtempSync(path.join(import.meta.dirname, 'close-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** Six customers, January and February invoiced, March used. */
const sold = path.join(folder, 'sold.db')
/** Two series, every status and a draft. */
const filled = path.join(folder, 'filled.db')

beforeAll(async () => {
  await sell(sqlite({ path: sold }), soldAt({ base: '29.00', unit: '0.10' }))
  await fill(filled)
})

let copies = 0

function copyOf(file: string): string {
  const copy = path.join(folder, `copy-${(copies += 1)}.db`)
  copyFileSync(file, copy)
  return copy
}

function close(database: string, ...args: string[]) {
  return runFarebox(folder, ['close', '--database', database, '--until', '2026-04-01', ...args])
}

const reportIn = (name: string): Record<string, unknown> => JSON.parse(readFileSync(path.join(folder, name), 'utf8'))

describe('farebox close', () => {
  it('makes the invoices that are due, in the order of their numbers, and none of them twice', async () => {
    const database = copyOf(sold)
    const before = contentOf(database).invoices.length
    const first = await close(database, '--json', 'first.json')
    expect(first).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(
        /^made up to 2026-04-01T00:00:00\.000Z: 6 invoices, FB-\d{6} to FB-\d{6}\n {2}USD \d+\.\d\d, of which/,
      ),
    })
    expect(first.stderr).toMatch(/Closing 6 periods of 6 customers\n( {2}\d+ % .*\n)+Closed\n$/)
    expect(reportIn('first.json')).toMatchObject({ written: true, invoices: 6, drafts: [], held: [], waiting: [] })
    expect(contentOf(database).invoices.length).toBe(before + 6)

    const second = await close(database)
    expect(second).toMatchObject({ status: 0, stdout: 'made up to 2026-04-01T00:00:00.000Z: 0 invoices\n' })
    const audit = await runFarebox(folder, ['verify', '--database', database])
    expect(audit).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^ok: totals, grants and invoices are what \d+ events/),
    })
  }, 30_000)

  it('says what it would make, and writes nothing', async () => {
    const database = copyOf(sold)
    const before = contentOf(database)
    const dry = await close(database, '--dry-run', '--json', 'dry.json')
    expect(dry).toMatchObject({ status: 0, stdout: expect.stringMatching(/^would be made up to .*: 6 invoices\n {2}USD /) })
    expect(contentOf(database)).toEqual(before)
    await close(database, '--json', 'real.json')
    expect(reportIn('dry.json')['totals']).toEqual(reportIn('real.json')['totals'])
  }, 30_000)

  it('makes each invoice once and numbers them without a gap, wherever it was killed or stopped', async () => {
    const many = path.join(folder, 'many.db')
    const farebox = createFarebox({ catalog, store: sqlite({ path: many }), clock: testClock(JANUARY + 1) })
    const names = Array.from({ length: 700 }, (_, i) => `customer-${i}`)
    await Promise.all(names.map((customerId) => farebox.subscriptions.create({ customerId, plan: 'pro', startsAt: JANUARY })))
    await Promise.all(names.map((customerId, i) => farebox.usage.track({ customerId, feature: 'api_calls', value: i % 50 })))
    await farebox.stop()
    const [whole, killed] = [copyOf(many), copyOf(many)]
    const args = ['close', '--until', '2026-02-01', '--database']
    expect((await runFarebox(folder, [...args, whole])).stdout).toMatch(/1,400 invoices, FB-000001 to FB-001400/)

    const cut = await runFarebox(folder, [...args, killed], { killAt: { said: / 10 %/, afterMs: 0 } })
    expect(cut.status).toBe(null)
    const stopped = await runFarebox(folder, [...args, killed], { killAt: { said: / 10 %/, afterMs: 0, signal: 'SIGINT' } })
    expect(stopped).toMatchObject({ status: 130, stderr: expect.stringMatching(/farebox: Stopped: the same command goes on\n$/) })
    expect((await runFarebox(folder, [...args, killed])).status).toBe(0)

    const invoicesOf = (file: string) =>
      contentOf(file).invoices.map(({ customer, number, total, status }) => ({ customer, number, total, status }))
    expect(invoicesOf(killed)).toEqual(invoicesOf(whole))
    expect((await runFarebox(folder, ['verify', '--database', killed])).status).toBe(0)
  }, 90_000)

  it('holds an invoice back whose total is not what the log says, and verify names it', async () => {
    const database = copyOf(sold)
    const db = new DatabaseSync(database)
    db.exec(`UPDATE _totals SET quantity = quantity + 1000000 WHERE invoice_id IS NULL AND customer_id =
      (SELECT id FROM _customers WHERE customer = 'eve')`)
    db.close()
    const held = await close(database, '--json', 'held.json')
    expect(held).toMatchObject({
      status: 1,
      stdout: expect.stringMatching(/5 invoices.*\nheld back, because a total does not equal its events: eve/s),
      stderr: expect.stringMatching(/farebox: 1 invoices are held back: farebox verify says what disagrees\n$/),
    })
    expect(reportIn('held.json')).toMatchObject({ held: [{ customer: 'eve', features: [{ feature: 'calls' }] }] })
    const audit = await runFarebox(folder, ['verify', '--database', database, '--json', 'audit.json'])
    expect(audit).toMatchObject({
      status: 1,
      stdout: expect.stringMatching(/DIFFERENCES.*\n {2}calls of eve in the period from 2026-03-01/),
    })
    expect(reportIn('audit.json')).toMatchObject({ ok: false })
  }, 30_000)

  it('leaves to the application what only it knows: taxes, the series, and the rule for crashes', async () => {
    const taxed = path.join(folder, 'taxed.db')
    const tax = fixedTaxRates({ seller: { country: 'DE' }, rates: [{ country: 'DE', rate: '19' }] })
    const farebox = createFarebox({ catalog, store: sqlite({ path: taxed }), clock: testClock(MARCH), tax })
    await farebox.customers.create({ id: 'ada', country: 'DE' })
    await farebox.subscriptions.create({ customerId: 'ada', plan: 'pro' })
    await farebox.closePeriods()
    await farebox.stop()
    expect(await close(taxed)).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/invoices so far have taxes.*give --config/),
    })
    const config = `import { fixedTaxRates } from '@farebox/core'
export default { tax: fixedTaxRates({ seller: { country: 'DE' }, rates: [{ country: 'DE', rate: '19' }] }), catalog: 'of the application' }`
    writeFileSync(path.join(folder, 'taxed.ts'), config)
    expect((await close(taxed, '--config', 'taxed.ts')).status).toBe(0)
    const documents = contentOf(taxed).invoices.map(({ document }) => String(document))
    expect(documents.filter((document) => document.includes('"tax"')).length).toBe(documents.length)

    expect((await close(copyOf(filled), '--dry-run')).status).toBe(0)
    const two = path.join(folder, 'two.db')
    for (const [customerId, invoiceSeries] of Object.entries({ ada: 'FB', bob: 'EU' })) {
      const seller = createFarebox({ catalog, store: sqlite({ path: two }), clock: testClock(MARCH), invoiceSeries })
      await seller.subscriptions.create({ customerId, plan: 'pro' })
      await seller.closePeriods()
      await seller.stop()
    }
    expect(await close(two)).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/are in the series EU and FB: give --series/),
    })
    expect(await close(two, '--series', 'EU')).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/EU-000002 to EU-000003/),
    })

    const crashed = copyOf(sold)
    const engine = createFarebox({
      catalog: soldAt({ base: '29.00', unit: '0.10' }),
      store: sqlite({ path: crashed }),
      clock: testClock(MARCH + 1),
      models: { catalog: 'x', currency: 'USD', quote: () => ({ kind: 'unknown_model' }) },
    })
    const gate = engine.createGate<null>('calls', { identify: () => 'eve' })
    await gate.admit({ method: 'GET', route: '/', header: () => undefined, raw: null })
    await engine.stop({ withinMs: 0 })
    expect(await close(crashed)).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/1 reservations are of processes that died: give --on-crash/),
    })
    expect(await close(crashed, '--on-crash', 'void')).toMatchObject({ status: 0, stdout: expect.stringMatching(/6 invoices/) })
  }, 60_000)

  it('says in one sentence what the user can mend', async () => {
    const nowhere = path.join(folder, 'nowhere.db')
    vi.spyOn(console, 'error').mockImplementation(() => {})
    await expect(closeCommand({ database: nowhere })).rejects.toThrow(
      /^There is no database .*nowhere\.db: give --database the path/,
    )
    await expect(verifyCommand({ database: nowhere })).rejects.toThrow(/^There is no database/)
    await expect(closeCommand({ database: sold, until: '2999-01-01' })).rejects.toThrow(
      /^--until is 2999-01-01T00:00:00\.000Z, which has not come/,
    )
    await expect(closeCommand({ database: sold, until: 'soon' })).rejects.toThrow(
      /^--until is 'soon': give a day such as 2026-02-01/,
    )
    await expect(closeCommand({ database: sold, config: 'none.ts' })).rejects.toThrow(
      /^There is no module none\.ts: give --config the path/,
    )
    expect(await runFarebox(folder, ['close'])).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/required option '--database <store>'/),
    })
  }, 30_000)
})
