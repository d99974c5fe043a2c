import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, it } from 'vitest'
import { openLog } from '../src/log-source.ts'
import type { LogSource } from '../src/log-source.ts'
import { surveyLog } from '../src/replay/survey.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'farebox-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let files = 0
function fileOf(content: string | Uint8Array): string {
  const file = path.join(folder, `log-${(files += 1)}`)
  writeFileSync(file, content)
  return file
}

async function linesOf(log: LogSource): Promise<(string | null)[]> {
  const texts: (string | null)[] = []
  for await (const line of log.lines()) texts[line.number - 1] = line.text
  return texts
}

const LINE = '192.0.2.1 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 5\n'

describe('an opened log', () => {
  it.each([
    ['a\nb\n', ['a', 'b']],
    ['a\nb', ['a', 'b']],
    ['a\r\nb\r\n', ['a', 'b']],
    ['\n\na', ['', '', 'a']],
    ['\n', ['']],
  ])('%j has the lines %j, plain, gzipped and from standard input', async (content, lines) => {
    expect(await linesOf(await openLog(fileOf(content)))).toEqual(lines)
    expect(await linesOf(await openLog(fileOf(gzipSync(content))))).toEqual(lines)
    const piped = await openLog('-', Readable.from([Buffer.from(content)]))
    expect(await linesOf(piped)).toEqual(lines)
    expect(await linesOf(piped), 'a second reading').toEqual(lines)
    await piped.close()
  })

  it('keeps every byte of a line', async () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, index) => index).filter((byte) => byte !== 10 && byte !== 13)
    const [text] = await linesOf(await openLog(fileOf(bytes)))
    expect(Buffer.from(text ?? '', 'latin1')).toEqual(Buffer.from(bytes))
  })

  it('counts a line that is too long without keeping it', async () => {
    const log = await openLog(fileOf(`a\n${'x'.repeat(300_000)}\nb\n${'y'.repeat(70_000)}`))
    expect(await linesOf(log)).toEqual(['a', null, 'b', null])
  })

  it('reads a gzip of several members', async () => {
    const content = Buffer.concat([gzipSync('a\n'), gzipSync('b\n')])
    expect(await linesOf(await openLog(fileOf(content)))).toEqual(['a', 'b'])
  })
})

describe('a log that cannot be replayed is refused in one sentence', () => {
  const whole = gzipSync(LINE.repeat(500))
  mkdirSync(path.join(folder, 'folder'))
  it.each([
    ['a missing file', () => path.join(folder, 'nowhere'), /^There is no file .*nowhere: give the path/],
    ['a directory', () => path.join(folder, 'folder'), /is a directory: give the path of an access log in it$/],
    ['an empty file', () => fileOf(''), /is empty: give an access log with at least one line$/],
    ['an empty gzip', () => fileOf(gzipSync('')), /is empty: give an access log/],
    ['a truncated gzip', () => fileOf(whole.subarray(0, whole.length - 12)), /is truncated, so copy or download it again$/],
    ['a damaged gzip', () => fileOf(Buffer.concat([whole.subarray(0, 12), Buffer.alloc(50, 7)])), /damaged gzip data/],
    ['another kind of file', () => fileOf('id,name\n1,\u0007x\n'), /is no access log: .* first one reads "id,name"$/],
    [
      'a log with a wrong year',
      () => fileOf(LINE + LINE.replace('2015', '2035')),
      /reaches from 2015-05-17 to 2035-05-17: correct the times/,
    ],
    ['a log of years that cannot be billed', () => fileOf(LINE.replace('2015', '1995')), /begins in 1995, .* 2000/],
  ])('%s', async (_name, make, message) => {
    await expect(openLog(make()).then(surveyLog)).rejects.toThrow(message)
  })

  it('empty standard input', async () => {
    await expect(openLog('-', Readable.from([]))).rejects.toThrow(/^standard input is empty/)
  })
})

describe('the survey of a log', () => {
  it('counts clients and malformed lines with their numbers', async () => {
    const other = LINE.replace('192.0.2.1', '192.0.2.2').replace('10:05:03', '09:00:00')
    const survey = await surveyLog(await openLog(fileOf(`${LINE}junk\n${other}${LINE}\n${LINE}`)))
    expect([...survey.clients]).toEqual([
      ['192.0.2.1', 3],
      ['192.0.2.2', 1],
    ])
    expect(survey.malformedLines).toEqual([
      { line: 2, reason: 'the client cannot be read' },
      { line: 5, reason: 'the line is empty' },
    ])
    expect(survey).toMatchObject({
      lines: 6,
      malformed: 2,
      firstAt: Date.UTC(2015, 4, 17, 9),
      lastAt: Date.UTC(2015, 4, 17, 10, 5, 3),
    })
  })

  it('tells a gzipped log from another, and knows it from its plain twin', async () => {
    const hash = async (content: string | Uint8Array): Promise<string> => (await surveyLog(await openLog(fileOf(content)))).sha256
    expect(await hash(LINE)).toBe(await hash(gzipSync(LINE)))
    expect(await hash(LINE)).not.toBe(await hash(LINE + LINE))
  })
})
