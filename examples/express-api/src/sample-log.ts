/**
 * Writes the sample access log: one month of invented traffic, the same text on every machine.
 *
 * `npm run sample` in this folder writes `sample/access.log.gz`. The addresses are those reserved for documentation.
 */

import { writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'

const LINES = 6000
const CLIENTS = 150
const SEED = 20_250_601
const START = Date.UTC(2025, 5, 1)
const MONTH_MS = 30 * 24 * 60 * 60 * 1000

interface Request {
  readonly at: number
  readonly client: string
  readonly agent: string
  readonly method: string
  readonly target: string
  readonly status: number
  readonly bytes: string
}

/** The whole log as text, some 600 kB. */
export function sampleLog(): string {
  const random = randomFrom(SEED)
  const requests: Request[] = []
  for (const [index, lines] of shares().entries()) requests.push(...requestsOf(clientAt(index), lines, random))
  requests.sort((a, b) => a.at - b.at || (a.client < b.client ? -1 : 1))
  return unsettled(requests, random).map(formatLine).join('')
}

/** How many lines each client has: a few have very many, most have few. */
function shares(): number[] {
  const weights = Array.from({ length: CLIENTS }, (_, index) => 1 / (index + 2) ** 1.1)
  const sum = weights.reduce((total, weight) => total + weight, 0)
  const lines = weights.map((weight) => Math.max(1, Math.floor((LINES * weight) / sum)))
  const rest = LINES - lines.reduce((total, count) => total + count, 0)
  lines[0] = (lines[0] ?? 0) + rest
  return lines
}

/** Documentation addresses: 192.0.2.0/24, 198.51.100.0/24, 203.0.113.0/24, 2001:db8::/32, and names under example.net. */
function clientAt(index: number): string {
  const host = 1 + ((index * 37) % 250)
  const forms = [
    `192.0.2.${host}`,
    `198.51.100.${host}`,
    `203.0.113.${host}`,
    `2001:db8::${host.toString(16)}`,
    `host-${host}.example.net`,
  ]
  return forms[index % forms.length] ?? `192.0.2.${host}`
}

/** A client comes in visits: some pages a few seconds apart, then nothing for days. */
function requestsOf(client: string, lines: number, random: Random): Request[] {
  const agent = random.pick(AGENTS)
  const requests: Request[] = []
  while (requests.length < lines) {
    let at = START + random.below(MONTH_MS - 3_600_000)
    for (let left = 1 + random.below(14); left > 0 && requests.length < lines; left -= 1) {
      requests.push({ at, client, agent, ...anyRequest(random) })
      at += 1000 * random.below(40)
    }
  }
  return requests
}

function anyRequest(random: Random): Pick<Request, 'method' | 'target' | 'status' | 'bytes'> {
  const section = random.weighted(SECTIONS)
  const number = 1 + random.below(section.pages)
  const target = section.path.replace('{n}', String(number))
  const method = random.weighted(METHODS).method
  const status = section.exists ? random.weighted(STATUSES).status : 404
  return { method, target, status, bytes: bytesOf({ method, status, size: section.size + number * section.step }) }
}

function bytesOf({ method, status, size }: { method: string; status: number; size: number }): string {
  if (method === 'HEAD' || status === 304) return '-'
  if (status === 206) return String(Math.floor(size / 3))
  return status === 200 ? String(size) : '334'
}

/** Web servers write a line when the answer ends, so a log is not quite in the order of time. */
function unsettled(requests: readonly Request[], random: Random): Request[] {
  const lines = [...requests]
  for (let at = 1; at < lines.length; at += 1) {
    const [before, here] = [lines[at - 1], lines[at]]
    if (before === undefined || here === undefined || before.client === here.client || random.below(25) > 0) continue
    lines[at - 1] = here
    lines[at] = before
  }
  return lines
}

function formatLine({ at, client, agent, method, target, status, bytes }: Request, index: number): string {
  // Real logs hold lines whose last quote was cut off, and so does this one.
  const close = index === LINES / 2 ? '' : '"'
  return `${client} - - [${formatTime(at)}] "${method} ${target} HTTP/1.1" ${status} ${bytes} "-" "${agent}${close}\n`
}

/** `01/Jun/2025:00:00:00 +0000` */
function formatTime(at: number): string {
  const [date = '', time = ''] = new Date(at).toISOString().split('T')
  return `${date.slice(8)}/Jun/${date.slice(0, 4)}:${time.slice(0, 8)} +0000`
}

interface Section {
  readonly path: string
  /** `{n}` runs from 1 to this. */
  readonly pages: number
  /** Bytes of page n: `size + n * step`. */
  readonly size: number
  readonly step: number
  readonly exists: boolean
  readonly weight: number
}

const SECTIONS: readonly Section[] = [
  { path: '/', pages: 1, size: 8_241, step: 0, exists: true, weight: 8 },
  { path: '/?page={n}', pages: 9, size: 7_900, step: 31, exists: true, weight: 4 },
  { path: '/blog', pages: 1, size: 11_020, step: 0, exists: true, weight: 5 },
  { path: '/blog/tags/topic-{n}', pages: 30, size: 6_010, step: 97, exists: true, weight: 7 },
  { path: '/blog/2025/entry-{n}.html', pages: 80, size: 9_400, step: 211, exists: true, weight: 15 },
  { path: '/articles/long-read-{n}', pages: 25, size: 31_000, step: 733, exists: true, weight: 8 },
  { path: '/projects/tool-{n}/', pages: 12, size: 12_500, step: 401, exists: true, weight: 8 },
  { path: '/images/photo-{n}.jpg', pages: 60, size: 24_000, step: 801, exists: true, weight: 12 },
  { path: '/presentations/talk-{n}.pdf', pages: 20, size: 60_000, step: 9_127, exists: true, weight: 12 },
  { path: '/files/release-1.{n}.tar.gz', pages: 15, size: 80_000, step: 36_003, exists: true, weight: 7 },
  { path: '/images/removed-{n}.png', pages: 9, size: 0, step: 0, exists: false, weight: 2 },
  { path: '/favicon.ico', pages: 1, size: 1_150, step: 0, exists: true, weight: 5 },
  { path: '/robots.txt', pages: 1, size: 120, step: 0, exists: true, weight: 3 },
  { path: '/wp-login.php?try={n}', pages: 40, size: 0, step: 0, exists: false, weight: 3 },
  { path: '/files/caf%E9-{n}.txt', pages: 3, size: 0, step: 0, exists: false, weight: 1 },
]

const METHODS: readonly { readonly method: string; readonly weight: number }[] = [
  { method: 'GET', weight: 960 },
  { method: 'HEAD', weight: 22 },
  { method: 'POST', weight: 12 },
  { method: 'OPTIONS', weight: 6 },
]

const STATUSES: readonly { readonly status: number; readonly weight: number }[] = [
  { status: 200, weight: 890 },
  { status: 304, weight: 60 },
  { status: 206, weight: 15 },
  { status: 301, weight: 15 },
  { status: 404, weight: 8 },
  { status: 403, weight: 4 },
  { status: 416, weight: 3 },
  { status: 500, weight: 5 },
]

const AGENTS = ['Mozilla/5.0 (synthetic)', 'ExampleBot/1.0 (+https://example.net/bot)', 'curl/8.5.0', 'Feed Reader (synthetic)']

interface Random {
  /** A whole number from 0 up to, not including, `bound`. */
  below(bound: number): number
  pick<T>(values: readonly T[]): T
  weighted<T extends { readonly weight: number }>(values: readonly T[]): T
}

/** Mulberry32: the same numbers from the same seed on every machine. */
function randomFrom(seed: number): Random {
  let state = seed
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (bound: number): number => Math.floor(next() * bound)
  return {
    below,
    pick: (values) => valueAt(values, below(values.length)),
    weighted(values) {
      let left = below(values.reduce((sum, value) => sum + value.weight, 0))
      return valueAt(
        values,
        values.findIndex((value) => (left -= value.weight) < 0),
      )
    },
  }
}

function valueAt<T>(values: readonly T[], index: number): T {
  const value = values[index]
  if (value === undefined) throw new Error('The list to choose from is empty')
  return value
}

if (import.meta.main) {
  const file = process.argv[2] ?? 'sample/access.log.gz'
  writeFileSync(file, gzipSync(sampleLog(), { level: 9 }))
}
