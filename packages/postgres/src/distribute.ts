/** How the tables are spread over many servers with Citus: by account, each account's rows on one of them. */

import { createNames } from './names.ts'
import { checkPostgresOptions, type PostgresOptions } from './options.ts'

/** Tables whose every key begins with the account. */
export const BY_ACCOUNT: readonly string[] = [
  'accounts',
  'subscriptions',
  'api_keys',
  'events',
  'event_keys',
  'totals',
  'sealed',
  'records',
  'reservations',
  'invoices',
]

/** Small tables that no account owns: every server has a copy. */
export const COPIED: readonly string[] = ['catalogs', 'migrations', 'series', 'counters']

/** Rows of one process each, written by every batch: spread by it. */
export const BY_PROCESS: readonly string[] = ['lanes']

/**
 * The statements that distribute a schema, in their order; pure. They are run once, as the owner, on a coordinator whose
 * extension `citus` is there and whose tables Farebox made (`open`). Triggers that refuse changes of final rows need
 * `citus.enable_unsafe_triggers`, because Citus cannot know that they look at their own row only.
 */
export function distributeStatements({ schema, prefix }: Pick<PostgresOptions, 'schema' | 'prefix'> = {}): readonly string[] {
  const checked = checkPostgresOptions({
    connectionString: 'postgres://coordinator',
    ...(schema === undefined ? {} : { schema }),
    ...(prefix === undefined ? {} : { prefix }),
  })
  const { of } = createNames(checked.schema, checked.prefix)
  const literal = (name: string): string => `'${of(name)}'`
  const [first, ...others] = BY_ACCOUNT
  return [
    'CREATE EXTENSION IF NOT EXISTS citus;',
    'SET citus.enable_unsafe_triggers TO on;',
    ...COPIED.map((name) => `SELECT create_reference_table(${literal(name)});`),
    `SELECT create_distributed_table(${literal(first ?? '')}, 'customer');`,
    ...others.map(
      (name) => `SELECT create_distributed_table(${literal(name)}, 'customer', colocate_with => ${literal(first ?? '')});`,
    ),
    ...BY_PROCESS.map((name) => `SELECT create_distributed_table(${literal(name)}, 'process', colocate_with => 'none');`),
  ]
}
