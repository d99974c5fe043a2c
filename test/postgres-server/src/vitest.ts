/** Vitest's global set-up: one server for all tests of a run, the one that DATABASE_URL names, or one that is started here. */

import type { TestProject } from 'vitest/node'
import { startPostgres } from './index.ts'

export default async function startServer(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env['DATABASE_URL']
  const server = given === undefined ? await startPostgres() : null
  project.provide('databaseUrl', server?.url ?? given ?? '')
  return async () => server?.stop()
}
