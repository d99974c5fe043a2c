/** What a proof tells the server that it starts: one JSON argument. */

import type { PostgresOptions } from '@farebox/postgres'

/** How the server is built. All but `sound` are broken on purpose, so that a proof can show that it would notice. */
export type Variant =
  | 'sound'
  /** The gate reads the usage, waits, and writes afterwards. */
  | 'read-then-write'
  /** The store answers before it has committed. */
  | 'acknowledge-early'
  /** Each request waits for the write lock inside SQLite, which blocks the event loop. */
  | 'blocking'

export interface ServerSettings {
  /** The database file. */
  readonly database: string
  /** The events go to this server instead. */
  readonly postgres?: PostgresOptions
  /** Serve while the store does not answer, and keep the events in this file. */
  readonly spool?: string
  /** Each handler that runs appends its key to this file. */
  readonly witness: string
  readonly variant?: Variant
  readonly onCrash?: 'charge' | 'void'
  /** Epoch milliseconds: the server has a clock of its own that `POST /clock` moves. Default: the machine's. */
  readonly clockAt?: number
  /** How long a closed period's invoice stays a draft. Default 0. */
  readonly graceHours?: number
  /** On SIGTERM: close the server and stop Farebox (the order that is documented), or stop Farebox first. Default `server`. */
  readonly stopFirst?: 'server' | 'farebox'
}

/** Exit status of a server that could not become ready. */
export const EXIT_NOT_READY = 75
