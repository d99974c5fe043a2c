/**
 * Runs tables of numbers against ours: those that other billing systems and their documentation assert, whose rows name their source,
 * and in `own/` more of the same kinds, which were worked out by other means than ours.
 */

import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { FareboxError } from '../../src/errors.ts'
import { decimal, formatDecimal } from '../../src/values/decimal.ts'

/** A row of a table. What else it has are the figures of its source, restated in the shape of its table. */
export interface Vector {
  readonly id: string
  readonly name: string
  /** Repository, path and commit, or an address. */
  readonly source: string
  /** Why the row follows a rule that ours is decided against; then `ourAnswer` is what ours gives, which differs. */
  readonly notApplicable?: string
  /** A code, where ours refuses. */
  readonly ourAnswer?: unknown
  /** What the source asserts besides, and no table runs. */
  readonly leftOut?: string
}

export interface Comparison<V extends Vector> {
  readonly ours: (vector: V) => unknown
  readonly theirs: (vector: V) => unknown
}

/** A row of a hundred thousand grants takes its time, the more so on a busy machine. */
const TIME_LIMIT = { timeout: 60_000 }

/** A table of `own/`. Its rows have the shape of the table of the same name. */
export interface OwnTable {
  /** How the expected values were worked out. */
  readonly how: string
  readonly rows: readonly Omit<Vector, 'source'>[]
}

/** Runs every row of `<table>.json`, and of `own/<table>.json`. */
export function run<V extends Vector>(table: string, { ours, theirs }: Comparison<V>): void {
  describe(table, () => {
    for (const vector of rowsOf(table) as readonly V[]) {
      const { id, name, source, notApplicable, ourAnswer } = vector
      if (notApplicable === undefined)
        test(`${id} ${name} (${source})`, TIME_LIMIT, async () => expect(await ours(vector)).toEqual(theirs(vector)))
      else
        test(`${id} ${name} is not applicable: ${notApplicable} (${source})`, async () => {
          const answer = await answerOf(ours, vector)
          expect(answer).not.toEqual(theirs(vector))
          expect(typeof answer === 'bigint' ? String(answer) : answer).toEqual(ourAnswer)
        })
    }
  })
}

/** The answer, or the code of the error that refused to give one. */
async function answerOf<V>(ours: (vector: V) => unknown, vector: V): Promise<unknown> {
  try {
    return await ours(vector)
  } catch (error) {
    if (error instanceof FareboxError) return error.code
    throw error
  }
}

/** The collected rows, none where only `own/` has the table; then those of `own/`. */
function rowsOf(table: string): readonly Vector[] {
  const collected = (read(`./${table}.json`) ?? []) as readonly Vector[]
  const own = read(`./own/${table}.json`) as OwnTable | null
  return [...collected, ...(own?.rows ?? []).map((row) => ({ ...row, source: `own/${table}.json` }))]
}

function read(file: string): unknown {
  const url = new URL(file, import.meta.url)
  return existsSync(url) ? JSON.parse(readFileSync(url, 'utf8')) : null
}

/** The shortest text of a decimal, since sources write `1900.00` for `1900`. */
export function plain(text: string): string {
  return formatDecimal(decimal(text))
}

/** A date (its midnight in UTC), a time in UTC, or a time with a zone. */
export function instant(text: string): number {
  if (!text.includes('T')) return Date.parse(`${text}T00:00Z`)
  return Date.parse(/(Z|[+-]\d\d:\d\d)$/.test(text) ? text : `${text}Z`)
}
