/** The store on one PostgreSQL, for as many application processes as are needed. */

import {
  type ChangeRequest,
  changeBy,
  closed,
  monotonicMs,
  randomId,
  type Store,
  type StoreFacts,
  systemClock,
} from '@farebox/core/contracts'
import pg from 'pg'
import { asStoreError, isUnreachable, unavailable } from './faults.ts'
import { Lane } from './lane.ts'
import { migrate } from './migrate.ts'
import { createNames, type Names } from './names.ts'
import { checkPostgresOptions, type PostgresOptions, type PostgresSettings } from './options.ts'
import { createPartitions, type Month, monthsAhead, type Partitions } from './partitions.ts'
import { createReads, type Query, type Reads } from './reads.ts'
import { readServerFacts, refuseUnfit, type ServerFacts, SKEW_LIMIT_MS } from './server.ts'
import { createStatements } from './statements.ts'

/**
 * A store on PostgreSQL 14 or newer. Nothing is connected before `open`. Throws `invalid_option`; `open` rejects with
 * `store_unavailable`, `store_unsupported` (a schema of a newer Farebox, a server that is too old) or `store_unsafe` (settings
 * that may lose what was acknowledged). Any number of processes, on any number of machines, may share the schema.
 */
export function postgres(options: PostgresOptions): Store {
  return new PostgresStore(checkPostgresOptions(options))
}

/** Connections that read. */
const READERS = 2
/** The longest listing; a key is looked up within the time that a request may wait. */
const READ_WITHIN_MS = 60_000
/** Between two tries to read. */
const RETRY_MS = 50
/** Closing gives up what the server will not take after this long. */
const CLOSE_WITHIN_MS = 5_000
/** A process is heard of several times within the time after which it counts as dead. */
const TOUCHES = 3
/** Partitions are made ahead of time this often. */
const AHEAD_EVERY_MS = 3_600_000

class PostgresStore implements Store {
  readonly facts: StoreFacts
  readonly #settings: PostgresSettings
  readonly #names: Names
  readonly #process: string = randomId('p')
  readonly #pool: pg.Pool
  readonly #lanes: readonly Lane[]
  readonly #reads: Reads
  readonly #partitions: Partitions
  #server: ServerFacts | null = null
  #heartbeat: NodeJS.Timeout | null = null
  #ahead: NodeJS.Timeout | null = null
  #closing: Promise<void> | null = null

  constructor(settings: PostgresSettings) {
    const { connectionString, schema, prefix, connections, timeoutMs, deadAfterMs } = settings
    this.#settings = settings
    this.facts = factsOf(settings, () => this.#server)
    this.#names = createNames(schema, prefix)
    this.#partitions = createPartitions(this.#names)
    this.#pool = new pg.Pool({
      connectionString,
      max: READERS,
      connectionTimeoutMillis: timeoutMs,
      query_timeout: READ_WITHIN_MS,
      application_name: 'farebox',
    })
    // A connection that is lost while nobody uses it: the next who needs one gets another.
    this.#pool.on('error', () => {})
    const statements = createStatements(this.#names, settings)
    const parts = {
      settings,
      statements,
      process: this.#process,
      missingMonths: this.#partitions.missing,
      makePartitions: (months: Iterable<Month>) => this.#withClient((client) => this.#partitions.make(client, months)),
    }
    this.#lanes = Array.from({ length: connections }, (_, lane) => new Lane({ ...parts, lane }))
    this.#reads = createReads(this.#query, this.#names, this.#process, deadAfterMs)
  }

  async open(): Promise<void> {
    try {
      await this.#withClient(async (client) => {
        this.#server = await readServerFacts(client, systemClock.now)
        refuseUnfit(this.#server, this.#settings)
        await migrate(client, this.#names)
        await this.#partitions.make(client, monthsAhead(systemClock.now()))
      })
    } catch (error) {
      throw isUnreachable(error) ? unavailable('it cannot be reached', error) : asStoreError(error)
    }
    const { clockSkewMs } = this.#server ?? { clockSkewMs: 0 }
    if (Math.abs(clockSkewMs) > SKEW_LIMIT_MS)
      process.emitWarning(`This machine's clock is ${clockSkewMs} ms ahead of the database server's: set both by NTP`, {
        type: 'FareboxWarning',
        code: 'clock_skew',
      })
    const [first] = this.#lanes
    // Before anything is reserved, so that nobody takes this process for one that died.
    first?.touch()
    this.#heartbeat = setInterval(() => first?.touch(), this.#settings.deadAfterMs / TOUCHES).unref()
    this.#ahead = setInterval(() => void this.#makeAhead(), AHEAD_EVERY_MS).unref()
  }

  submit(request: ChangeRequest): void {
    const { inOrder, customerId } = request.target
    // One lane keeps the order; that another holds the account at this moment costs a wait and nothing else.
    this.#laneOf(inOrder === true ? '' : customerId).submit(request)
  }

  change: Store['change'] = changeBy((request) => this.submit(request))

  async flush(): Promise<void> {
    const untilMs = monotonicMs() + this.#settings.timeoutMs
    for (const lane of this.#lanes) {
      await lane.settled(lane.fault === null ? Infinity : untilMs)
      if (lane.fault !== null) throw lane.fault
    }
  }

  log: Store['log'] = (page) => this.#read(() => this.#reads.log(page))
  events: Store['events'] = (query) => this.#read(() => this.#reads.events(query))
  recount: Store['recount'] = (query) => this.#read(() => this.#reads.recount(query))
  totalsOf: Store['totalsOf'] = (query) => this.#read(() => this.#reads.totalsOf(query))
  totals: Store['totals'] = (page) => this.#read(() => this.#reads.totals(page))
  invoices: Store['invoices'] = (query) => this.#read(() => this.#reads.invoices(query))
  invoice: Store['invoice'] = (idOrNumber) => this.#read(() => this.#reads.invoice(idOrNumber))
  apiKey: Store['apiKey'] = (id) => this.#read(() => this.#inTime(this.#reads.apiKey(id)))
  apiKeys: Store['apiKeys'] = (customerId) => this.#read(() => this.#reads.apiKeys(customerId))
  customerIds: Store['customerIds'] = (page) => this.#read(() => this.#reads.customerIds(page))
  records: Store['records'] = (query) => this.#read(() => this.#reads.records(query))
  counters: Store['counters'] = () => this.#read(() => this.#reads.counters())
  catalogs: Store['catalogs'] = () => this.#read(() => this.#reads.catalogs())
  saveCatalog: Store['saveCatalog'] = (catalog) => this.#read(() => this.#reads.saveCatalog(catalog))
  claimDue: Store['claimDue'] = (now, limit) => this.#read(() => this.#reads.claimDue(now, limit))
  orphans: Store['orphans'] = () => this.#read(() => this.#reads.orphans())

  close(): Promise<void> {
    return (this.#closing ??= this.#closeOnce())
  }

  async #closeOnce(): Promise<void> {
    for (const timer of [this.#heartbeat, this.#ahead]) if (timer !== null) clearInterval(timer)
    const untilMs = monotonicMs() + CLOSE_WITHIN_MS
    await Promise.all(this.#lanes.map((lane) => lane.close(untilMs)))
    await this.#pool.end()
  }

  /** Always the same one, so that an account's changes follow one another and never wait for a lock of their own process. */
  #laneOf(customerId: string): Lane {
    let hash = 0
    for (let i = 0; i < customerId.length; i += 1) hash = (Math.imul(hash, 31) + customerId.charCodeAt(i)) | 0
    const lane = this.#lanes[(hash >>> 0) % this.#lanes.length]
    if (lane === undefined) throw closed()
    return lane
  }

  /** Reads see what this process asked for before them, and try again for as long as a request may wait. */
  async #read<T>(read: () => Promise<T>): Promise<T> {
    if (this.#closing !== null) throw closed()
    const untilMs = monotonicMs() + this.#settings.timeoutMs
    await Promise.all(this.#lanes.filter(({ fault }) => fault === null).map((lane) => lane.settled(untilMs)))
    for (;;) {
      try {
        return await read()
      } catch (error) {
        if (!isUnreachable(error)) throw asStoreError(error)
        if (monotonicMs() + RETRY_MS >= untilMs) throw unavailable('it cannot be reached', error)
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
    }
  }

  /** Rejects when it takes longer than a request may wait. */
  async #inTime<T>(read: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(unavailable('it took too long')), this.#settings.timeoutMs)
    })
    return Promise.race([read, late]).finally(() => clearTimeout(timer))
  }

  #query: Query = async <Row>(text: string, values: readonly unknown[] = []) => {
    const { rows } = await this.#pool.query(text, values as unknown[])
    return rows as Row[]
  }

  async #withClient<T>(work: (client: pg.ClientBase) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect()
    try {
      return await work(client)
    } finally {
      client.release()
    }
  }

  /** What cannot be made now is made later, or when an event needs it. */
  async #makeAhead(): Promise<void> {
    this.#partitions.forget()
    await this.#withClient((client) => this.#partitions.make(client, monthsAhead(systemClock.now()))).catch(() => {})
  }
}

/** The version is known once the store was opened. */
function factsOf(
  { connectionString, schema, prefix, durability }: PostgresSettings,
  server: () => ServerFacts | null,
): StoreFacts {
  const { host, pathname } = new URL(connectionString)
  return {
    name: 'postgres',
    location: `${host}${pathname} (${schema}.${prefix}*)`,
    durability,
    get version() {
      return server()?.version ?? 'not connected yet'
    },
  }
}
