/** The PostgreSQL store's public interface. */

export type { PostgresLocation } from './connect.ts'
export { distributeStatements } from './distribute.ts'
export { inspectPostgres } from './inspect.ts'
export type { PostgresInspection, ProcessReservations } from './inspect.ts'
export type { PostgresOptions } from './options.ts'
export { retainEvents } from './retain.ts'
export type { RetainedMonth, RetentionOptions } from './retain.ts'
export type { ServerFacts } from './server.ts'
export { postgres } from './store.ts'
