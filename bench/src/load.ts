/** Load on loopback: keep-alive connections that send the next request when the answer to the last one is complete. */

import { connect } from 'node:net'

export interface LoadOptions {
  readonly port: number
  readonly connections: number
  readonly customers: number
  /** Milliseconds. */
  readonly durationMs: number
}

export interface LoadResult {
  readonly requests: number
  /** Answers of another status than 200. */
  readonly failures: number
  readonly perSecond: number
  readonly p50Us: number
  readonly p99Us: number
}

const END_OF_HEADERS = Buffer.from('\r\n\r\n')

/**
 * A client of its own rather than a library, because latencies are wanted in microseconds and its own cost has to stay below
 * that of the server it measures.
 */
export async function load({ port, connections, customers, durationMs }: LoadOptions): Promise<LoadResult> {
  const requests = Array.from({ length: customers }, (_, i) =>
    Buffer.from(`GET /v1/items/${i} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Customer: customer_${i}\r\n\r\n`),
  )
  const latenciesUs: number[] = []
  let failures = 0
  let next = 0
  const startedAt = performance.now()
  const endsAt = startedAt + durationMs
  await Promise.all(Array.from({ length: connections }, runConnection))
  const elapsedMs = performance.now() - startedAt
  latenciesUs.sort((a, b) => a - b)
  const percentile = (share: number): number => Math.round(latenciesUs[Math.floor(latenciesUs.length * share)] ?? 0)
  return {
    requests: latenciesUs.length,
    failures,
    perSecond: Math.round((latenciesUs.length / elapsedMs) * 1000),
    p50Us: percentile(0.5),
    p99Us: percentile(0.99),
  }

  function runConnection(): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true })
      let sentAt = 0
      let pending: Buffer | null = null
      const send = (): void => {
        sentAt = performance.now()
        socket.write(requests[next++ % customers] as Buffer)
      }
      socket.on('connect', send)
      socket.on('error', reject)
      socket.on('data', (chunk: Buffer) => {
        const answer: Buffer = pending === null ? chunk : Buffer.concat([pending, chunk])
        if (!isComplete(answer)) {
          pending = answer
          return
        }
        pending = null
        const now = performance.now()
        latenciesUs.push((now - sentAt) * 1000)
        // "HTTP/1.1 200": the status begins at the tenth byte.
        if (answer[9] !== 0x32) failures += 1
        if (now < endsAt) return send()
        socket.destroy()
        resolve()
      })
    })
  }
}

function isComplete(answer: Buffer): boolean {
  const end = answer.indexOf(END_OF_HEADERS)
  if (end === -1) return false
  const length = /content-length: (\d+)/i.exec(answer.toString('latin1', 0, end))?.[1]
  return answer.length >= end + END_OF_HEADERS.length + Number(length ?? 0)
}
