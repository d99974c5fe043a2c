/** Brings the schema up to date: numbered, forward only, safe from many processes at once. */

import { FareboxError } from '@farebox/core/contracts'
import type { ClientBase } from 'pg'
import { migration000001 } from './migrations/000001.ts'
import type { Names } from './names.ts'

interface Migration {
  readonly number: number
  /** A program that does not know a breaking migration must not touch the database. */
  readonly isBreaking: boolean
  readonly sql: string
}

export const MIGRATIONS: readonly Migration[] = [{ number: 1, isBreaking: true, sql: migration000001 }]

/** 'FARE' in ASCII: the first half of our advisory locks. The second tells the schema and what is locked. */
export const LOCK_CLASS = 0x46415245

/**
 * Applies what is missing, in one transaction. Throws `store_unsupported` when a newer Farebox changed the schema in a way that
 * this one would break; nothing is written then.
 */
export async function migrate(client: ClientBase, names: Names): Promise<void> {
  const table = names.of('migrations')
  await client.query('BEGIN')
  try {
    // Of many processes one migrates; the others wait here and find it done. The lock goes with the transaction.
    await client.query('SELECT pg_advisory_xact_lock($1, hashtext($2))', [LOCK_CLASS, table])
    const { rows: schemas } = await client.query('SELECT 1 FROM pg_namespace WHERE nspname = $1', [names.schema])
    if (schemas.length === 0) await client.query(`CREATE SCHEMA "${names.schema}"`)
    await client.query(`CREATE TABLE IF NOT EXISTS ${table} (number integer PRIMARY KEY, breaking boolean NOT NULL)`)
    const { rows } = await client.query<{ number: number; breaking: boolean }>(`SELECT number, breaking FROM ${table}`)
    refuseNewer(rows, names)
    const applied = new Set(rows.map(({ number }) => number))
    for (const { number, isBreaking, sql } of MIGRATIONS) {
      if (applied.has(number)) continue
      await client.query(`INSERT INTO ${table} (number, breaking) VALUES ($1, $2)`, [number, isBreaking])
      await client.query(withNames(sql, names))
    }
    await client.query('COMMIT')
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {})
    throw error
  }
}

function refuseNewer(applied: readonly { readonly number: number; readonly breaking: boolean }[], { schema }: Names): void {
  const known = new Set(MIGRATIONS.map(({ number }) => number))
  const newer = applied.filter(({ number, breaking }) => breaking && !known.has(number)).map(({ number }) => number)
  if (newer.length === 0) return
  throw new FareboxError(
    'store_unsupported',
    `Expected schema ${schema} at migration ${Math.max(...known)} or lower, found ${Math.max(...newer)}: a newer Farebox changed it, update this program`,
    { fields: { found: Math.max(...newer), known: Math.max(...known) } },
  )
}

/** A migration's text for one schema and prefix. */
function withNames(sql: string, { of, bare, view }: Names): string {
  return sql.replaceAll(/\{([=@]?)(\w+)\}/g, (_all, kind: string, name: string) =>
    kind === '=' ? bare(name) : kind === '@' ? view(name) : of(name),
  )
}
