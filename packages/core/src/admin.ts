/** What an application does for its customers: make them, and give them keys. */

import { isDeepStrictEqual } from 'node:util'
import { holdsMoney, withCustomer } from './account/opening.ts'
import type { Customer } from './account/customer.ts'
import type { Catalog } from './catalog/catalog.ts'
import type { Page, PageRequest, Store } from './contracts/store.ts'
import { FareboxError } from './errors.ts'
import { newApiKey } from './identify/api-key.ts'
import type { KeyIdentification } from './identify/identify.ts'
import { isCustomerId } from './identify/customer-id.ts'
import { invalidOption } from './options.ts'
import { invalidCustomer } from './usage.ts'
import { isCountry } from './values/country.ts'
import type { Clock } from './values/clock.ts'
import { isTimeZone } from './values/period.ts'

export interface CustomerInput {
  /** The application's own id: 1 to 128 printable ASCII characters without spaces. */
  id: string
  name?: string
  email?: string
  /** IANA name. Default UTC. Subscriptions made later count their days in it. */
  timeZone?: string
  /** ISO 4217: one of the catalog's currencies. Default: its main one. It stays when there is a subscription, or money. */
  currency?: string
  /** ISO 3166-1 alpha-2, in capitals: where tax is due. */
  country?: string
  /** VAT or other tax id, as printed on invoices. */
  taxId?: string
  isTaxExempt?: boolean
}

export interface Customers {
  /** Creating one twice is one customer: members that are given replace those it has. Throws `invalid_customer`, `invalid_time_zone`. */
  create(input: CustomerInput): Promise<Customer>
  get(id: string): Promise<Customer | null>
  /** In the order in which they were first seen. */
  list(page?: PageRequest): Promise<Page<Customer>>
}

/** A key without its secret. */
export interface ApiKey {
  readonly id: string
  readonly customerId: string
  readonly name: string | null
  /** Epoch milliseconds. */
  readonly createdAt: number
  readonly revokedAt: number | null
}

export interface ApiKeys {
  /** Makes a key; `key` is shown here once and kept only as a hash. The customer is made when unknown. */
  create(input: { customerId: string; name?: string }): Promise<ApiKey & { readonly key: string }>
  /** Oldest first, revoked ones included. */
  list(customerId: string): Promise<readonly ApiKey[]>
  /**
   * The customer of a request's key (`x-api-key`, or a bearer token): what a meter does where it is given no `identify`. Null
   * without a key, and for one that is wrong or revoked. `header` gives a header by its lower-case name.
   */
  identify(request: { header(name: string): string | undefined }): Promise<string | null>
  /** The key stops working at once here and within ten seconds in every other process. Throws `not_found`. */
  revoke(id: string): Promise<ApiKey>
}

export interface AdminParts {
  readonly store: Store
  readonly clock: Clock
  readonly catalog: Catalog
  readonly ready: Promise<void>
  readonly keys: KeyIdentification
}

export function createAdmin({ store, clock, catalog, ready, keys }: AdminParts): {
  readonly customers: Customers
  readonly apiKeys: ApiKeys
} {
  return {
    customers: { create: createCustomer, get: getCustomer, list: listCustomers },
    apiKeys: { create: createKey, list: listKeys, identify: identifyKey, revoke },
  }

  async function read<T>(customerId: string, pick: (state: Parameters<Parameters<Store['change']>[1]>[0]) => T): Promise<T> {
    await ready
    return store.change({ customerId }, (state) => ({ result: pick(state), entries: [] }))
  }

  function getCustomer(customerId: string): Promise<Customer | null> {
    return read(customerId, (state) => state.customer)
  }

  async function listCustomers(page: PageRequest = {}): Promise<Page<Customer>> {
    await ready
    const { items, next } = await store.customerIds(page)
    const customers = await Promise.all(items.map(getCustomer))
    return { items: customers.filter((customer) => customer !== null), next }
  }

  async function identifyKey(request: { header(name: string): string | undefined }): Promise<string | null> {
    await ready
    return keys.identify(request)
  }

  async function createCustomer(input: CustomerInput): Promise<Customer> {
    checkCustomer(input, catalog)
    await ready
    const now = clock.now()
    const { id, ...given } = input
    return store.change({ customerId: id, inOrder: true }, (state) => {
      const known = withCustomer(state, now).customer
      const members = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
      const customer: Customer = { ...known, ...members }
      const fixed = state.subscription?.currency ?? (holdsMoney(state) ? (known.currency ?? catalog.currency) : undefined)
      if (fixed !== undefined && customer.currency !== undefined && customer.currency !== fixed) throw otherCurrency(id, fixed)
      const isSame = state.customer !== null && isDeepStrictEqual(customer, known)
      return { result: customer, entries: isSame ? [] : [{ kind: 'customer', customer }] }
    })
  }

  async function createKey({ customerId, name }: { customerId: string; name?: string }): Promise<ApiKey & { key: string }> {
    if (!isCustomerId(customerId)) throw invalidCustomer(customerId)
    await ready
    const createdAt = clock.now()
    const { id, text, secretHash } = newApiKey()
    const apiKey = { id, customerId, name: name ?? null, secretHash, createdAt, revokedAt: null }
    await store.change({ customerId }, (state) => ({
      result: undefined,
      entries: [...withCustomer(state, createdAt).entries, { kind: 'api_key', apiKey }],
    }))
    return { id, customerId, name: apiKey.name, createdAt, revokedAt: null, key: text }
  }

  async function listKeys(customerId: string): Promise<ApiKey[]> {
    await ready
    return (await store.apiKeys(customerId)).map(({ secretHash: _secretHash, ...apiKey }) => apiKey)
  }

  async function revoke(id: string): Promise<ApiKey> {
    await ready
    const stored = await store.apiKey(id)
    if (stored === null)
      throw new FareboxError(
        'not_found',
        'Expected the id of an API key, got one that does not exist: apiKeys.list() shows the ids; the key itself is never given here',
      )
    const apiKey = { ...stored, revokedAt: stored.revokedAt ?? clock.now() }
    await store.change({ customerId: stored.customerId }, () => ({ result: undefined, entries: [{ kind: 'api_key', apiKey }] }))
    keys.forget()
    const { secretHash: _secretHash, ...shown } = apiKey
    return shown
  }
}

/** Throws `invalid_customer`, `invalid_time_zone` or `invalid_option`. */
function checkCustomer({ id, timeZone, currency, country }: CustomerInput, catalog: Catalog): void {
  if (!isCustomerId(id)) throw invalidCustomer(id)
  if (timeZone !== undefined && !isTimeZone(timeZone)) {
    throw new FareboxError(
      'invalid_time_zone',
      `Expected an IANA time zone such as Europe/Berlin, got ${JSON.stringify(timeZone)}`,
      { fields: { timeZone } },
    )
  }
  const currencies = [...catalog.offers.keys()]
  if (currency !== undefined && !currencies.includes(currency))
    throw invalidOption('customers.create()', 'currency', `one of the catalog's currencies ${currencies.join(', ')}`, currency)
  if (country !== undefined && !isCountry(country))
    throw invalidOption('customers.create()', 'country', "an ISO 3166-1 code in capitals, such as 'DE'", country)
}

function otherCurrency(customerId: string, currency: string): FareboxError {
  return new FareboxError(
    'invalid_option',
    `Expected the currency ${currency} of what ${customerId} has or is subscribed to, got another: a customer is billed in one currency`,
    { fields: { customerId, currency } },
  )
}
