import { readFileSync } from 'node:fs'
import path from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { sampleLog } from '../src/sample-log.ts'

const committed = gunzipSync(readFileSync(path.resolve(import.meta.dirname, '../sample/access.log.gz'))).toString()

describe('the sample log', () => {
  it('is what its generator writes, on every machine', () => {
    expect(sampleLog() === committed).toBe(true)
  })

  it('has 6,000 lines of 150 clients in one month, on all three plans', () => {
    const lines = committed.trimEnd().split('\n')
    const counts = [...Map.groupBy(lines, (line) => line.split(' ')[0]).values()].map((group) => group.length)
    expect(lines.length).toBe(6000)
    expect(counts.length).toBe(150)
    expect(lines.every((line) => / \[\d\d\/Jun\/2025:/.test(line))).toBe(true)
    expect([counts.filter((count) => count >= 100).length, counts.filter((count) => count < 20).length]).toEqual([12, 95])
  })

  it('holds every method and status that a replay must tell apart, and stays below 300 megabytes of answers', () => {
    const parts = committed.matchAll(/"([A-Z]+) \S+ HTTP\/1\.1" (\d{3}) (\d+|-)/g)
    const found = [...parts].map(([, method, status, bytes]) => ({ method, status, bytes: bytes === '-' ? 0 : Number(bytes) }))
    expect(new Set(found.map(({ method }) => method))).toEqual(new Set(['GET', 'HEAD', 'POST', 'OPTIONS']))
    expect(new Set(found.map(({ status }) => status))).toEqual(new Set(['200', '206', '301', '304', '403', '404', '416', '500']))
    expect(found.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThan(300_000_000)
  })
})
