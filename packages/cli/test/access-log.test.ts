import { existsSync } from 'node:fs'
import path from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseAccessLine } from '../src/access-log.ts'
import type { AccessLine } from '../src/access-log.ts'
import { openLog } from '../src/log-source.ts'
import { surveyLog } from '../src/replay/survey.ts'

const TIME = '[17/May/2015:10:05:03 +0000]'
const AT = Date.UTC(2015, 4, 17, 10, 5, 3)

function lineOf(text: string): AccessLine {
  const parsed = parseAccessLine(text)
  if (parsed.kind === 'malformed') throw new Error(`${parsed.reason}: ${text}`)
  return parsed.line
}

function reasonOf(text: string): string {
  const parsed = parseAccessLine(text)
  return parsed.kind === 'malformed' ? parsed.reason : 'none'
}

describe('a line of an access log', () => {
  it('is read in the common format', () => {
    expect(lineOf(`83.149.9.216 - - ${TIME} "GET /a?b=c HTTP/1.1" 200 203023`)).toEqual({
      client: '83.149.9.216',
      at: AT,
      request: { method: 'GET', target: '/a?b=c' },
      status: 200,
      bytes: 203_023,
    })
  })

  it('is read in the combined format, and what stands after the bytes does not matter', () => {
    const start = `::1 - frank ${TIME} "HEAD / HTTP/1.0" 304 -`
    for (const rest of ['', ' "-" "curl/8"', ' "-" "a user agent without its closing quote', ' "', '  ', ' "a" "b" "c" 0.003']) {
      expect(lineOf(start + rest)).toMatchObject({ client: '::1', status: 304, bytes: 0 })
    }
  })

  it.each(['192.0.2.1', '2001:db8::ff00:42:8329', 'fe80::1%eth0', '::ffff:192.0.2.1', 'crawl-66-249.example.com', 'my_host'])(
    'has the client %s',
    (client) => expect(lineOf(`${client} - - ${TIME} "GET / HTTP/1.1" 200 1`).client).toBe(client),
  )

  it.each([
    ['[17/May/2015:10:05:03 +0200]', '2015-05-17T08:05:03.000Z'],
    ['[17/May/2015:10:05:03 -0730]', '2015-05-17T17:35:03.000Z'],
    ['[31/Dec/2015:23:59:60 +0000]', '2016-01-01T00:00:00.000Z'],
    ['[29/Feb/2016:00:00:00 +0000]', '2016-02-29T00:00:00.000Z'],
    ['[01/Jan/2016:00:30:00 +0100]', '2015-12-31T23:30:00.000Z'],
  ])('has the time %s', (time, expected) => {
    expect(new Date(lineOf(`a - - ${time} "GET / HTTP/1.1" 200 1`).at).toISOString()).toBe(expected)
  })

  it('may name a user with spaces and brackets', () => {
    expect(lineOf(`a - John [x] [17/Moy/2015] Doe ${TIME} "GET / HTTP/1.1" 200 1`).at).toBe(AT)
  })

  it.each([
    [String.raw`GET /\"quoted\" HTTP/1.1`, { method: 'GET', target: '/"quoted"' }],
    [String.raw`GET /\x41\xe4b\x HTTP/1.1`, { method: 'GET', target: '/A\u{e4}b\\x' }],
    [String.raw`GET /\\x41\q HTTP/1.1`, { method: 'GET', target: String.raw`/\x41\q` }],
    [String.raw`GET /\n\t HTTP/1.1`, { method: 'GET', target: '/\n\t' }],
    ['GET /a b HTTP/1.1', { method: 'GET', target: '/a b' }],
    ['OPTIONS * HTTP/1.0', { method: 'OPTIONS', target: '*' }],
    ['GET http://example.com/ HTTP/1.1', { method: 'GET', target: 'http://example.com/' }],
    ['GET /%E8%F1 HTTP/2.0', { method: 'GET', target: '/%E8%F1' }],
  ])('has the request %s', (field, request) => {
    expect(lineOf(`a - - ${TIME} "${field}" 200 1`).request).toEqual(request)
  })

  it.each(['-', '', ' ', 'GET', 'GET /', 'GET  HTTP/1.1', String.raw`\x16\x03\x01\x02`, '/ HTTP/1.1'])(
    'without a request that the server could read (%j) is a line all the same',
    (field) => expect(lineOf(`a - - ${TIME} "${field}" 400 0`)).toMatchObject({ request: null, status: 400 }),
  )
})

describe('a malformed line', () => {
  it.each([
    ['', 'the line is empty'],
    ['   ', 'the line is empty'],
    ['hello', 'the client cannot be read'],
    [`- - - ${TIME} "GET / HTTP/1.1" 200 1`, 'the client cannot be read'],
    [`a"b - - ${TIME} "GET / HTTP/1.1" 200 1`, 'the client cannot be read'],
    [`${'a'.repeat(129)} - - ${TIME} "GET / HTTP/1.1" 200 1`, 'the client cannot be read'],
    ['a - - "GET / HTTP/1.1" 200 1', 'the time cannot be read'],
    ['a - - [30/Feb/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 1', 'the time cannot be read'],
    ['a - - [17/Mai/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 1', 'the time cannot be read'],
    ['a - - [17/May/2015:24:05:03 +0000] "GET / HTTP/1.1" 200 1', 'the time cannot be read'],
    ['a - - [17/May/2015:10:05:03] "GET / HTTP/1.1" 200 1', 'the time cannot be read'],
    [`a - - ${TIME} GET / HTTP/1.1 200 1`, 'the request cannot be read'],
    [`a - - ${TIME} "GET / HTTP/1.1 200 1`, 'the request cannot be read'],
    [`a - - ${TIME}"GET / HTTP/1.1" 200 1`, 'the request cannot be read'],
    [String.raw`a - - ${TIME} "GET / HTTP/1.1\" 200 1`, 'the request cannot be read'],
    [`a - - ${TIME} "GET / HTTP/1.1"`, 'the status cannot be read'],
    [`a - - ${TIME} "GET / HTTP/1.1" abc 1`, 'the status cannot be read'],
    [`a - - ${TIME} "GET / HTTP/1.1" 2000 1`, 'the status cannot be read'],
    [`a - - ${TIME} "GET / HTTP/1.1" 200`, 'the bytes cannot be read'],
    [`a - - ${TIME} "GET / HTTP/1.1" 200 12k`, 'the bytes cannot be read'],
    [`a - - ${TIME} "GET / HTTP/1.1" 200 -1`, 'the bytes cannot be read'],
    [`a - - ${TIME} "GET / HTTP/1.1" 200 ${'9'.repeat(16)}`, 'the bytes cannot be read'],
  ])('%j: %s', (text, reason) => {
    expect(reasonOf(text)).toBe(reason)
  })

  it('never throws, whatever the text', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => void parseAccessLine(text)))
    const cut = `83.149.9.216 - - ${TIME} "GET /a HTTP/1.1" 200 203023 "-" "x"`
    for (let end = 0; end <= cut.length; end += 1) parseAccessLine(cut.slice(0, end))
  })

  it('is read at once however long and nasty it is: a parser that goes back would not end (P-94)', () => {
    const length = 3_000_000
    const nasty = [' [', '[', '\\', '"', ' ', '\\"', 'a', `${TIME} "`, `x - - ${TIME} "GET \\`, '\\x4']
    for (const part of nasty) {
      for (const start of ['', 'a - - ', `a - - ${TIME} "`]) {
        expect(parseAccessLine(start + part.repeat(Math.ceil(length / part.length))).kind, start + part).toBe('malformed')
      }
    }
  }, 60_000)
})

// The real log lies in ../shared/data relative to the project's root; the project stands alone without it.
const realLog = path.resolve(import.meta.dirname, '../../../../shared/data/apache_logs.gz')

describe.skipIf(!existsSync(realLog))('the real log in ../shared/data', () => {
  it('has 10,000 lines of 1,753 clients and none is malformed, though one lacks a closing quote', async () => {
    const survey = await surveyLog(await openLog(realLog))
    expect({ ...survey, clients: survey.clients.size }).toMatchObject({ lines: 10_000, malformed: 0, clients: 1753 })
  })
})
