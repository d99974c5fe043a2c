/** A client that talks HTTP to a server under test, and the ledger that it keeps with a descriptor of its own. */

import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import { Agent, request } from 'node:http'

export interface Answer {
  readonly status: number
  readonly contentType: string
  readonly body: string
}

export interface Ask {
  readonly method?: 'GET' | 'POST'
  readonly path: string
  readonly customer?: string
  /** Sent as JSON. */
  readonly body?: object
}

/** Nobody waits longer for an answer. */
const ANSWER_WITHIN_MS = 10_000

const agent = new Agent({ keepAlive: true })
const fresh = new Agent({ keepAlive: false })

/** Rejects when the connection ends before the whole answer came, or none comes in time. `keepAlive: false` takes a connection of its own. */
export function ask(port: number, { method = 'GET', path, customer, body }: Ask, { keepAlive = true } = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers: Record<string, string> = customer === undefined ? {} : { 'x-customer': customer }
    if (body !== undefined) headers['content-type'] = 'application/json'
    const options = {
      host: '127.0.0.1',
      port,
      method,
      path,
      headers,
      agent: keepAlive ? agent : fresh,
      timeout: ANSWER_WITHIN_MS,
    }
    const asked = request(options, (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (part: string) => (text += part))
      answer.on('error', reject)
      answer.on('close', () => (answer.complete ? undefined : reject(new Error('The answer was cut off'))))
      answer.on('end', () =>
        resolve({ status: answer.statusCode ?? 0, contentType: answer.headers['content-type'] ?? '', body: text }),
      )
    })
    asked.on('timeout', () => asked.destroy(new Error('No answer in time')))
    asked.on('error', reject)
    asked.end(body === undefined ? undefined : JSON.stringify(body))
  })
}

/** Asks and reads the JSON of the answer; throws on any status but 200. */
export async function askFor<T>(port: number, wanted: Ask): Promise<T> {
  const { status, body } = await ask(port, wanted)
  if (status !== 200) throw new Error(`Expected 200 from ${wanted.path}, got ${status}: ${body}`)
  return body === '' ? ({} as T) : JSON.parse(body)
}

/** `sent` before a request goes out; `ok` and `refused` when its answer came. */
export type LedgerWord = 'sent' | 'ok' | 'refused'

export interface LedgerLine {
  readonly word: LedgerWord
  readonly how: 'track' | 'gate'
  readonly customer: string
  readonly key: string
}

export interface Ledger {
  write(line: LedgerLine): void
  close(): void
}

export function openLedger(file: string): Ledger {
  const descriptor = openSync(file, 'a')
  return {
    write: ({ word, how, customer, key }) => void writeSync(descriptor, `${word} ${how} ${customer} ${key}\n`),
    close: () => closeSync(descriptor),
  }
}

export function readLedger(file: string): LedgerLine[] {
  return linesOf(file).map((line) => {
    const [word, how, customer = '', key = ''] = line.split(' ')
    return { word: word as LedgerWord, how: how as LedgerLine['how'], customer, key }
  })
}

/** The lines of a file that is only ever appended to; none when it is not there yet. */
export function linesOf(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n').slice(0, -1)
  } catch {
    return []
  }
}
