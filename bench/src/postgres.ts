/** The store on PostgreSQL without HTTP: durable events per second beside a raw loop, and what reading costs as the log grows. */

import { createFarebox, defineCatalog, type Farebox, testClock } from '@farebox/core'
import { postgres } from '@farebox/postgres'
import pg from 'pg'

export interface PostgresBenchOptions {
  readonly url: string
  readonly rounds: number
  /** Events of the large log. */
  readonly events: number
  /** Events of each measurement. */
  readonly tracked: number
}

/** Events per second, one value for each round. */
export interface Throughput {
  readonly customers: number
  readonly connections: number
  readonly raw: readonly number[]
  readonly tracked: readonly number[]
  /** Microseconds of this process's CPU per event. */
  readonly cpuUs: readonly number[]
}

/** Microseconds per call, one value for each round. */
export interface Growth {
  readonly small: readonly number[]
  readonly large: readonly number[]
}

export interface PostgresFigures {
  readonly throughput: readonly Throughput[]
  readonly usage: Growth
  readonly invoice: Growth
  /** Bytes of the large log's tables and indexes per event. */
  readonly bytesPerEvent: number
}

const START = Date.UTC(2026, 0, 1)
/** What a transaction of the raw loop holds, and what is under way for each connection. */
const BATCH = 100
const CONNECTIONS = [1, 3, 8]
const CUSTOMERS = [1, 10_000]
const SMALL = 10_000
const READS = 200

const catalog = defineCatalog({
  currency: 'USD',
  features: { api_calls: { type: 'metered' } },
  plans: {
    paid: {
      price: '5.00',
      interval: 'month',
      default: true,
      features: { api_calls: { included: 20, overage: { model: 'per_unit', price: '0.0001' } } },
    },
  },
})

export async function measurePostgres(options: PostgresBenchOptions, say: (line: string) => void): Promise<PostgresFigures> {
  const throughput: Throughput[] = []
  for (const customers of CUSTOMERS)
    for (const connections of CONNECTIONS) throughput.push(await measureThroughput(options, { customers, connections }, say))
  const small = await measureReads(options, SMALL)
  const large = await measureReads(options, options.events)
  say(
    `PostgreSQL: usage ${small.usage.map(Math.round).join(', ')} µs at ${SMALL}, ${large.usage.map(Math.round).join(', ')} µs at ${options.events}`,
  )
  return {
    throughput,
    usage: { small: small.usage, large: large.usage },
    invoice: { small: small.invoice, large: large.invoice },
    bytesPerEvent: large.bytesPerEvent,
  }
}

interface Load {
  readonly customers: number
  readonly connections: number
}

async function measureThroughput(options: PostgresBenchOptions, load: Load, say: (line: string) => void): Promise<Throughput> {
  const { customers, connections } = load
  const schema = `track_${customers}_${connections}`
  const farebox = createFarebox({
    catalog,
    store: postgres({ connectionString: options.url, schema, connections }),
    clock: testClock(START),
  })
  const raw = await RawLoop.open(options.url, `raw_${customers}_${connections}`, load)
  // Everybody is known before anything is measured.
  await track(farebox, load, Math.max(customers, 1_000))
  await raw.run(Math.max(customers, 1_000))
  const figures = { raw: [] as number[], tracked: [] as number[], cpuUs: [] as number[] }
  for (let round = 0; round < options.rounds; round += 1) {
    figures.raw.push(await perSecond(options.tracked, () => raw.run(options.tracked)))
    const before = process.cpuUsage()
    figures.tracked.push(await perSecond(options.tracked, () => track(farebox, load, options.tracked)))
    const { user, system } = process.cpuUsage(before)
    figures.cpuUs.push((user + system) / options.tracked)
  }
  await farebox.stop()
  await raw.close()
  say(
    `PostgreSQL, ${customers} customers, ${connections} connections: raw ${figures.raw.map(Math.round).join(', ')}/s, tracked ${figures.tracked.map(Math.round).join(', ')}/s`,
  )
  return { ...load, ...figures }
}

async function perSecond(count: number, work: () => Promise<void>): Promise<number> {
  const startedAt = performance.now()
  await work()
  return count / ((performance.now() - startedAt) / 1000)
}

/** Events asked for by as many callers as the raw loop has rows under way. */
async function track(farebox: Farebox, { customers, connections }: Load, count: number): Promise<void> {
  let next = 0
  const caller = async (): Promise<void> => {
    while (next < count) {
      const customerId = `customer_${next % customers}`
      next += 1
      await farebox.usage.track({ customerId, feature: 'api_calls' })
    }
  }
  await Promise.all(Array.from({ length: BATCH * connections }, caller))
}

/** The same rows by hand, a hundred events to a transaction: the account is locked, events and totals are written. */
class RawLoop {
  readonly #clients: readonly pg.Client[]
  readonly #customers: number
  readonly #schema: string
  #seq = 0

  static async open(url: string, schema: string, { customers, connections }: Load): Promise<RawLoop> {
    const clients = Array.from({ length: connections }, () => new pg.Client({ connectionString: url, pipeline: true }))
    await Promise.all(clients.map((client) => client.connect()))
    const [first] = clients
    await first?.query(`
      CREATE SCHEMA ${schema};
      CREATE TABLE ${schema}.accounts (customer text COLLATE "C" PRIMARY KEY, version bigint NOT NULL) WITH (fillfactor = 70);
      CREATE TABLE ${schema}.events (customer text COLLATE "C" NOT NULL, seq bigint NOT NULL, feature text NOT NULL, period_start bigint NOT NULL,
        quantity bigint NOT NULL, at bigint NOT NULL, key text NOT NULL, PRIMARY KEY (customer, seq));
      CREATE INDEX ON ${schema}.events (customer, feature, period_start, seq);
      CREATE TABLE ${schema}.totals (customer text COLLATE "C" NOT NULL, feature text NOT NULL, period_start bigint NOT NULL,
        quantity bigint NOT NULL, PRIMARY KEY (customer, feature, period_start)) WITH (fillfactor = 70);
      INSERT INTO ${schema}.accounts SELECT 'customer_' || i, 0 FROM generate_series(0, ${customers - 1}) i;
      ANALYZE ${schema}.accounts`)
    return new RawLoop(clients, schema, customers)
  }

  private constructor(clients: readonly pg.Client[], schema: string, customers: number) {
    this.#clients = clients
    this.#schema = schema
    this.#customers = customers
  }

  async run(count: number): Promise<void> {
    let left = count
    const connection = async (client: pg.Client): Promise<void> => {
      while (left > 0) {
        left -= BATCH
        await this.#transaction(client)
      }
    }
    await Promise.all(this.#clients.map(connection))
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.end()))
  }

  /** Two round trips, as few as a decision between reading and writing allows. */
  async #transaction(client: pg.Client): Promise<void> {
    const schema = this.#schema
    const rows = Array.from({ length: BATCH }, () => {
      const seq = (this.#seq += 1)
      return { customer: `customer_${seq % this.#customers}`, seq, key: `raw-key-of-24-characters-${seq}` }
    })
    const customers = [...new Set(rows.map(({ customer }) => customer))].toSorted()
    await Promise.all([
      client.query('BEGIN; SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off'),
      client.query({
        name: 'lock',
        text: `SELECT * FROM ${schema}.accounts WHERE customer = ANY ($1::text[]) ORDER BY customer FOR NO KEY UPDATE`,
        values: [customers],
      }),
    ])
    const json = JSON.stringify(rows)
    await Promise.all([
      client.query({
        name: 'accounts',
        text: `UPDATE ${schema}.accounts SET version = version + 1 WHERE customer = ANY ($1::text[])`,
        values: [customers],
      }),
      client.query({
        name: 'events',
        text: `INSERT INTO ${schema}.events SELECT customer, seq, 'api_calls', ${START}, 1000000, ${START}, key
               FROM json_to_recordset($1) AS v (customer text, seq bigint, key text)`,
        values: [json],
      }),
      client.query({
        name: 'totals',
        text: `INSERT INTO ${schema}.totals AS t SELECT customer, 'api_calls', ${START}, count(*) * 1000000
               FROM json_to_recordset($1) AS v (customer text) GROUP BY customer ORDER BY customer
               ON CONFLICT (customer, feature, period_start) DO UPDATE SET quantity = t.quantity + excluded.quantity`,
        values: [json],
      }),
      client.query('COMMIT'),
    ])
  }
}

/** Without the cache of accounts, so that the database answers each. Time on the wall: most of the work is the server's. */
async function measureReads(
  { url, rounds }: PostgresBenchOptions,
  events: number,
): Promise<{ usage: number[]; invoice: number[]; bytesPerEvent: number }> {
  const schema = `reads_${events}`
  const store = postgres({ connectionString: url, schema, cacheSize: 0, timeoutMs: 60_000 })
  const farebox = createFarebox({ catalog, store, clock: testClock(START) })
  await farebox.usage.track({ customerId: 'customer_1', feature: 'api_calls' })
  const bytesPerEvent = await fill(url, schema, events)
  const usage: number[] = []
  const invoice: number[] = []
  for (let round = 0; round < rounds; round += 1) {
    usage.push(await medianUs(() => farebox.usage.totals({ customerId: 'customer_1' })))
    invoice.push(await medianUs(() => farebox.invoices.preview('customer_1')))
  }
  const [total] = await farebox.usage.totals({ customerId: 'customer_1' })
  if (total?.posted !== BigInt(events) * 1_000_000n) throw new Error(`Expected ${events} units, got ${String(total?.posted)}`)
  await farebox.stop()
  return { usage, invoice, bytesPerEvent }
}

/** Appends events to the one that is there, in the form in which the store writes them, and brings the total up to them. */
async function fill(url: string, schema: string, events: number): Promise<number> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(`
    SET search_path TO ${schema};
    INSERT INTO _events SELECT customer, i, feature, period_start, quantity, at + i / 10, route, 'fill-' || i, NULL
      FROM _events, generate_series(2, ${events}) i WHERE seq = 1;
    UPDATE _totals SET quantity = quantity * ${events}, events = ${events}, last_seq = ${events};
    UPDATE _accounts SET last_seq = ${events}, version = version + 1;
    ANALYZE _events`)
  const { rows } = await client.query<{ bytes: string }>(
    `SELECT sum(pg_total_relation_size(inhrelid)) AS bytes FROM pg_inherits WHERE inhparent = '${schema}._events'::regclass`,
  )
  await client.end()
  return Number(rows[0]?.bytes) / events
}

async function medianUs(call: () => Promise<unknown>): Promise<number> {
  const times: number[] = []
  for (let i = 0; i < READS; i += 1) {
    const startedAt = performance.now()
    await call()
    times.push((performance.now() - startedAt) * 1000)
  }
  return times.toSorted((a, b) => a - b)[READS / 2] ?? NaN
}
