/** Billing LLM traces: what a line says, what a bill comes to, and what the user can mend. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { modelPrices } from '@farebox/ai'
import { afterAll, describe, expect, it } from 'vitest'
import { billTrace, type TraceOptions, type TraceReport } from '../src/llm-trace/index.ts'
import { parseTraceLine, readHeader } from '../src/llm-trace/trace-line.ts'
import { readTraceTime } from '../src/llm-trace/trace-time.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'farebox-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const HEADER = 'TIMESTAMP,ContextTokens,GeneratedTokens'
let files = 0

function fileOf(content: string | Uint8Array): string {
  const file = path.join(folder, `trace-${(files += 1)}.csv`)
  writeFileSync(file, content)
  return file
}

async function bill(content: string | Uint8Array, options: Partial<TraceOptions> = {}): Promise<TraceReport> {
  const log = fileOf(content)
  const database = `${log}.db`
  return (await billTrace({ log, database, model: 'gpt-4o', models: modelPrices(), ...options })).report
}

describe('an instant of a trace', () => {
  const AT = Date.UTC(2023, 10, 16, 18, 15, 46)
  it.each([
    ['2023-11-16 18:15:46.6805900', AT + 680],
    ['2023-11-16 18:15:46', AT],
    ['2023-11-16T18:15:46Z', AT],
    ['2023-11-16T18:15:46.009930+00:00', AT + 9],
    ['2023-11-16 18:15:46,5', AT + 500],
    ['2023/11/16 18:15:46 UTC', AT],
    ['2023-11-16 13:15:46-05:00', AT],
    ['2023-11-16 23:45:46+0530', AT],
    ['2023-11-16 20:15:46+02', AT],
    ['2023-11-16 18:15', AT - 46_000],
    ['1700158546', AT],
    ['1700158546.25', AT + 250],
    ['1700158546680', AT + 680],
    ['1700158546680590', AT + 680],
    ['1700158546680590123', AT + 680],
    ['2024-02-29 00:00:00', Date.UTC(2024, 1, 29)],
    ['2023-06-30 23:59:60', Date.UTC(2023, 6, 1)],
  ])('is read from %s', (text, at) => {
    expect(readTraceTime(text)).toBe(at)
  })

  it.each([
    '',
    'yesterday',
    '2023-02-29 00:00:00',
    '2023-13-01 00:00:00',
    '2023-11-16 24:00:00',
    '2023-11-16 18:61:00',
    '1999-12-31 23:59:59',
    '12.5',
    '-1700158546',
    '2023-11-16 18:15:46 CEST',
    '2023-11-16',
  ])('is none in %j', (text) => {
    expect(readTraceTime(text)).toBeNull()
  })
})

describe('a line of a trace', () => {
  const columns = readHeader(HEADER) ?? { at: 0, input: 0, output: 0, count: 0 }

  it('is read by the names of its header, whatever their order, their capitals and what else there is', () => {
    const other = readHeader('\u00EF\u00BB\u00BF"id", generatedtokens ,"Timestamp",CONTEXTTOKENS')
    expect(other).toEqual({ at: 2, input: 3, output: 1, count: 4 })
    expect(readHeader('TIMESTAMP,tokens')).toBeNull()
    const parsed = other && parseTraceLine('"a,""b""",44,2023-11-16 18:15:46,374.0', other)
    expect(parsed).toEqual({ kind: 'call', call: { at: Date.UTC(2023, 10, 16, 18, 15, 46), inputTokens: 374, outputTokens: 44 } })
  })

  it.each([
    ['2023-11-16 18:15:46,374', 'the line has other fields than the header'],
    ['2023-11-16 18:15:46,374,44,1', 'the line has other fields than the header'],
    ['now,374,44', 'the timestamp cannot be read'],
    ['2023-11-16 18:15:46,-1,44', 'the context tokens cannot be read'],
    ['2023-11-16 18:15:46,1.5,44', 'the context tokens cannot be read'],
    ['2023-11-16 18:15:46,374,', 'the generated tokens cannot be read'],
    ['2023-11-16 18:15:46,374,1000000001', 'the generated tokens cannot be read'],
  ])('is malformed in %j', (text, reason) => {
    expect(parseTraceLine(text, columns)).toEqual({ kind: 'malformed', reason })
  })
})

/** gpt-4o costs 2.50 in and 10.00 out for a million tokens; with 20 per cent a token costs 0.000003 and 0.000012. */
const TWO_MONTHS = [
  HEADER,
  '2023-11-16 18:15:46.6805900,10000000,1000000', // c0: 25 + 10 = 35, charged 42
  '2023-11-16 18:15:47.0000000,oops,1', // c1
  '2023-11-16 18:15:48.0000000,3,7', // c2: 0.0000075 + 0.00007, charged 0.000093
  '',
  '2023-11-30 23:59:59.9999999,2000001,0', // c0: 5.0000025, charged 6.000003
  '2023-12-01 00:00:00.0000000,0,0', // c1: nothing
  '2023-12-31T23:59:59Z,1,1', // c2: 0.0000125, charged 0.000015
  '2023-12-01 01:00:00+01:00,20000000,1000003', // c0: 50 + 10.00003, charged 72.000036
  '2023-12-02 00:00:00,4000000,0', // c1: 10, charged 12
  '2023-12-03 00:00:00,0,0', // c2
  '2023-11-20 00:00:00,1000000,0', // c0: 2.5, charged 3, in November
]

describe('the bill of a trace', () => {
  it('is exact for each customer, and each month has a balance of its own', async () => {
    const report = await bill(TWO_MONTHS.join('\r\n'), { margin: '20', customers: 3 })
    expect(report.customers).toEqual([
      {
        id: 'c0',
        calls: 4,
        input_tokens: 33_000_001,
        output_tokens: 2_000_003,
        provider_cost: '102.5000325',
        charged: '123.000039',
        balance_left: '0.00',
        // November 51.000003, December 72.000036.
        overdraft: '23.000039',
      },
      {
        id: 'c1',
        calls: 2,
        input_tokens: 4_000_000,
        output_tokens: 0,
        provider_cost: '10.00',
        charged: '12.00',
        balance_left: '38.00',
        overdraft: '0.00',
      },
      {
        id: 'c2',
        calls: 3,
        input_tokens: 4,
        output_tokens: 8,
        provider_cost: '0.00009',
        charged: '0.000108',
        balance_left: '49.999985',
        overdraft: '0.00',
      },
    ])
    expect(report).toMatchObject({
      lines: 10,
      malformed: 1,
      malformed_lines: [{ line: 3, reason: 'the context tokens cannot be read' }],
      unpriced: 0,
      model: 'gpt-4o',
      margin: '20',
      rates: { input: '2.50', output: '10.00' },
      totals: { calls: 9, charged: '135.000147', overdraft: '23.000039' },
      audit: { ok: true, events: 9, differences: [] },
    })
    const overage = report.invoices.flatMap(({ customer, period, lines }) =>
      lines.filter(({ type }) => type === 'balance_overage').map(({ amount }) => [customer, period[0].slice(0, 7), amount]),
    )
    expect(overage).toEqual([
      ['c0', '2023-11', '1.00'],
      ['c0', '2023-12', '22.00'],
    ])
  })

  it('is the same of a gzipped file, and when it is made again into the same database', async () => {
    const content = gzipSync(TWO_MONTHS.join('\n'))
    const database = path.join(folder, 'again.db')
    const first = await bill(content, { margin: '20', customers: 3, database })
    expect(await bill(content, { margin: '20', customers: 3, database })).toEqual(first)
    expect(first.totals.calls).toBe(9)
  })

  it('tells further prices where a long context costs more', async () => {
    const line = '2025-11-16 18:15:46'
    const report = await bill(`${HEADER}\n${line},1000,10\n${line},300000,10\n`, { model: 'gemini-2.5-pro', customers: 1 })
    expect(report).toMatchObject({
      rates: { input: '1.25', output: '10.00' },
      further_rates: { input: ['2.5'], output: ['15'] },
      // 1,000 at 1.25 and 10 at 10; 300,000 at 2.50 and 10 at 15.
      customers: [{ provider_cost: '0.7515', charged: '0.7515' }],
    })
  })

  it('has customers without a call, who have all of their balance', async () => {
    const report = await bill(`${HEADER}\n2023-11-16 18:15:46,1,1\n`, { customers: 2 })
    expect(report.customers[1]).toMatchObject({ id: 'c1', calls: 0, charged: '0.00', balance_left: '50.00' })
  })
})

describe('what the user can mend', () => {
  const one = `${HEADER}\n2023-11-16 18:15:46,1,1\n`

  it.each([
    [
      () => bill(one, { log: path.join(folder, 'nowhere.csv') }),
      /There is no file .*nowhere\.csv: give the path of an LLM trace/,
    ],
    [() => bill(one, { model: 'gpt-99' }), /The price list genai-prices@\S+ has no model "gpt-99": give --model a name/],
    [
      () => bill(one, { margin: 'much' }),
      /price\.margin is 'much', but per cent as a decimal string from '0' to '100000' was expected/,
    ],
    [() => bill(''), /is empty: give an LLM trace/],
    [() => bill(HEADER), /holds no call: give a trace with at least one line/],
    [
      () => bill('1,2,3\n'),
      /is no LLM trace, whose first line names the columns .* it reads "1,2,3", so give another file or add/,
    ],
    [() => bill(`${HEADER}\nnow,1,1\n`), /holds no call that can be read: in line 2 the timestamp cannot be read, so correct/],
    [() => bill(`${one}2099-01-01 00:00:00,1,1\n`), /reaches from 2023-11-16 to 2099-01-01: correct the times/],
    [() => bill(one, { database: folder }), /is a directory: give the path of a file with --database/],
  ])('is said in one sentence (%#)', async (run, message) => {
    await expect(run()).rejects.toThrow(message)
  })

  it('refuses a database that holds another bill', async () => {
    const database = path.join(folder, 'other.db')
    await bill(one, { database, customers: 1 })
    await expect(bill(one, { database, customers: 1, margin: '5' })).rejects.toThrow(/--fresh to replace it/)
    await expect(bill(one, { database, customers: 2 })).rejects.toThrow(/holds the calls of 1 customers/)
    const later = `${HEADER}\n2023-11-16 18:15:47,1,1\n`
    await expect(bill(later, { database, customers: 1 })).rejects.toThrow(/holds the bill of another trace \(line 0 differs\)/)
    const other = `${HEADER}\n2023-11-16 18:15:46,2,1\n`
    await expect(bill(other, { database, customers: 1 })).rejects.toThrow(/holds the bill of another trace/)
    expect((await bill(other, { database, customers: 1, fresh: true })).totals).toMatchObject({ calls: 1, input_tokens: 2 })
  })
})
