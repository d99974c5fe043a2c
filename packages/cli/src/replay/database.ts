/** The database file of a replay: begun anew, gone on with, or refused so that nothing is overwritten by accident. */

import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import path from 'node:path'
import { CommandError } from '../command-error.ts'
import { journalPath, unusable } from './journal.ts'

export interface DatabaseOptions {
  readonly database: string
  /** Go on where an earlier replay of the same log was cut off; begins when there is none. */
  readonly resume: boolean
  /** Remove what is there. */
  readonly fresh: boolean
}

/** Throws one sentence that says what to do when the database cannot be used as asked. Changes nothing but makes its folder. */
export function checkDatabase({ database, resume, fresh }: DatabaseOptions): void {
  makeFolderOf(database)
  if (resume && fresh) throw new CommandError('--resume goes on and --fresh begins again: give one of them')
  if (fresh) return

  const hasJournal = hasContent(journalPath(database))
  if (hasContent(database) && !hasJournal) {
    throw new CommandError(`${database} was not made by a replay: give another file with --database, or --fresh to replace it`)
  }
  if (hasJournal && !resume) {
    throw new CommandError(
      `${database} holds a replay already: --resume goes on with it, --fresh begins again, --database takes another file`,
    )
  }
}

/** Removes the database with all that SQLite, the store and the replay keep beside it. */
export function removeDatabase(database: string): void {
  const base = path.basename(database)
  const own = [base, `${base}-wal`, `${base}-shm`, `${base}-journal`, path.basename(journalPath(database))]
  const folder = path.dirname(database)
  for (const name of readdirSync(folder)) {
    if (own.includes(name) || name.startsWith(`${base}-process-`)) rmSync(path.join(folder, name), { force: true })
  }
}

/** Throws one sentence where the database can be no file. */
export function makeFolderOf(database: string): void {
  const folder = path.dirname(database)
  if (existsSync(database) && statSync(database).isDirectory())
    throw new CommandError(`${database} is a directory: give the path of a file with --database`)
  try {
    mkdirSync(folder, { recursive: true })
  } catch (error) {
    throw unusable(folder, error)
  }
}

function hasContent(file: string): boolean {
  return existsSync(file) && statSync(file).size > 0
}
