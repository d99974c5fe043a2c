import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { checkDatabase, removeDatabase } from '../src/replay/database.ts'
import { journalPath, openJournal } from '../src/replay/journal.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'farebox-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let files = 0
function newDatabase(): string {
  return path.join(folder, `replay-${(files += 1)}.db`)
}

const LOG = { log: 'access.log', sha256: 'a1', lines: 7 }

describe('the journal of a replay', () => {
  it('gives back what earlier runs noted', async () => {
    const database = newDatabase()
    const first = openJournal({ database, ...LOG })
    await Promise.all([first.note(1, { kind: 'billed', feature: 'api_calls' }), first.note(4, { kind: 'unmatched' })])
    await first.note(2, { kind: 'refused', feature: 'downloads' })
    first.close()

    const second = openJournal({ database, ...LOG })
    expect([...second.done]).toEqual([
      [1, { kind: 'billed', feature: 'api_calls' }],
      [4, { kind: 'unmatched' }],
      [2, { kind: 'refused', feature: 'downloads' }],
    ])
    second.close()
  })

  it('forgets the record that was being written when the process died, and writes on cleanly', async () => {
    const database = newDatabase()
    const first = openJournal({ database, ...LOG })
    await first.note(1, { kind: 'unmatched' })
    first.close()
    appendFileSync(journalPath(database), '[2,"bil')

    const second = openJournal({ database, ...LOG })
    expect([...second.done.keys()]).toEqual([1])
    await second.note(2, { kind: 'voided', feature: 'api_calls' })
    second.close()
    const third = openJournal({ database, ...LOG })
    expect([...third.done.keys()]).toEqual([1, 2])
    third.close()
  })

  it('begins anew when not even its first record was whole', () => {
    const database = newDatabase()
    writeFileSync(journalPath(database), '{"replay":1,"sha')
    openJournal({ database, ...LOG }).close()
    expect(JSON.parse(readFileSync(journalPath(database), 'utf8'))).toEqual({ replay: 1, sha256: 'a1', lines: 7 })
  })

  it('refuses another log and a file that is no journal, in one sentence', () => {
    const database = newDatabase()
    openJournal({ database, ...LOG }).close()
    expect(() => openJournal({ database, log: 'other.log', sha256: 'b2', lines: 9 })).toThrow(
      /another log \(7 lines\) than other.log \(9 lines\): give that log/,
    )
    writeFileSync(journalPath(database), 'hello\n')
    expect(() => openJournal({ database, ...LOG })).toThrow(/is no journal of a replay/)
  })
})

describe('the database of a replay', () => {
  const check = (database: string, flags: { resume?: boolean; fresh?: boolean } = {}) =>
    checkDatabase({ database, resume: false, fresh: false, ...flags })

  it('may be new, in a folder that is new', () => {
    expect(() => check(path.join(folder, 'new', 'deep', 'replay.db'))).not.toThrow()
    expect(() => check(newDatabase(), { resume: true })).not.toThrow()
  })

  it('is never replaced by accident', () => {
    const database = newDatabase()
    openJournal({ database, ...LOG }).close()
    expect(() => check(database)).toThrow(/holds a replay already: --resume goes on with it, --fresh begins again/)
    expect(() => check(database, { resume: true })).not.toThrow()
    expect(() => check(database, { fresh: true })).not.toThrow()
    expect(() => check(database, { fresh: true, resume: true })).toThrow(/give one of them/)
  })

  it('is refused when something else made it', () => {
    const database = newDatabase()
    writeFileSync(database, 'content')
    expect(() => check(database)).toThrow(/was not made by a replay/)
    expect(() => check(database, { resume: true })).toThrow(/was not made by a replay/)
    expect(() => check(folder)).toThrow(/is a directory/)
    expect(() => check(path.join(database, 'replay.db'))).toThrow(/cannot be used .* folder that you may write to/)
  })

  it('is removed with what belongs to it and nothing else', () => {
    const database = newDatabase()
    const own = ['', '-wal', '-shm', '-process-1', '.replay.jsonl'].map((end) => database + end)
    for (const file of [...own, `${database}-backup`]) writeFileSync(file, 'x')
    removeDatabase(database)
    for (const file of own) expect(() => readFileSync(file), file).toThrow(/ENOENT/)
    expect(readFileSync(`${database}-backup`, 'utf8')).toBe('x')
  })
})
