/** Credits and prepaid balance as an application uses them: buy, look, grant, take back, and have balance bought by itself. */

import type { AccountState } from './account/account-state.ts'
import type { AutoTopUp, Customer } from './account/customer.ts'
import { currencyOf, withCurrency } from './account/opening.ts'
import type { AutomaticTopUps } from './automatic-top-ups.ts'
import type { Catalog } from './catalog/catalog.ts'
import type { CreditPack } from './catalog/credits.ts'
import type { Collected } from './collected.ts'
import type { Change, Page, PageRequest, Store } from './contracts/store.ts'
import { FareboxError } from './errors.ts'
import { checkCustomer, type Granting, type GrantTerms, type RevokeTerms } from './granting.ts'
import { type GrantView, type Holdings, holdingsOf } from './grant-view.ts'
import type { LedgerEntry } from './ledger-entries.ts'
import { invalidOption, refuseUnknownOptions } from './options.ts'
import type { Purchases } from './purchases.ts'
import { packSale, topUpSale } from './sales.ts'
import { checkKey } from './usage.ts'
import { parseAmount, readAmount } from './values/amount.ts'
import type { Clock } from './values/clock.ts'
import { add, compare, type Decimal, DECIMAL_ZERO, formatDecimal } from './values/decimal.ts'
import { moneyToDecimal } from './values/money.ts'
import { parseQuantity, quantityToDecimal, type QuantityInput } from './values/quantity.ts'

export interface PackInput {
  customerId: string
  /** The pack's code in the catalog. */
  pack: string
  /** One purchase for each key, however often it is asked for: give the same one when you retry. */
  idempotencyKey: string
}

export interface CreditGrantInput extends GrantTerms {
  /** More than none, up to six decimal places. */
  credits: QuantityInput
}

export interface CreditRevokeInput extends RevokeTerms {
  /** Default: all that is left of the grant. */
  credits?: QuantityInput
}

export interface Credits {
  /**
   * Buys a pack: charges the way to pay that is on file, and grants its credits in the change that marks the invoice as paid. They
   * never expire, and outlive the subscription. A decline voids the invoice. Throws `invalid_customer`, `unknown_pack`,
   * `invalid_key`, `key_conflict`, `store_unavailable`.
   */
  buyPack(input: PackInput): Promise<Collected>
  /** What a customer has now: grants in the order in which they pay, and their sum. */
  get(customerId: string): Promise<Holdings>
  /** Every movement, newest first, each with the sum after it. Throws `invalid_option` for a cursor of another listing. */
  ledger(customerId: string, page?: PageRequest): Promise<Page<LedgerEntry>>
  /** Grants credits that were not bought. Throws `invalid_quantity`, `invalid_timestamp`, `invalid_option`, `key_conflict`. */
  grant(input: CreditGrantInput): Promise<GrantView>
  /** Takes back what is left of a grant, or part of it. Throws `not_found`, `revoke_exceeds_grant`, `invalid_quantity`, `key_conflict`. */
  revoke(input: CreditRevokeInput): Promise<GrantView>
}

export interface TopUpInput {
  customerId: string
  /** In the main unit of the customer's currency, as a decimal string: `'25.00'`. */
  amount: string
  /** One purchase for each key, however often it is asked for: give the same one when you retry. */
  idempotencyKey: string
}

export interface BalanceGrantInput extends GrantTerms {
  /** In the main unit of the customer's currency, as a decimal string. */
  amount: string
}

export interface BalanceRevokeInput extends RevokeTerms {
  /** In the main unit of the customer's currency, as a decimal string. Default: all that is left of the grant. */
  amount?: string
}

/** Amounts are decimal strings in the main unit of the customer's currency. */
export interface AutoTopUpInput {
  /** Balance is bought when less than this is left. */
  threshold: string
  /** What is bought each time. Taxes come on top. */
  amount: string
  /** Between the beginnings of two attempts at least; a whole number from 1 to 43,200. Default 60. */
  coolDownMinutes?: number
  /** Most that is bought by itself in one calendar month of the customer's time zone; at least `amount`. */
  monthlyCeiling: string
}

export interface BalanceHoldings extends Holdings {
  /** ISO 4217. */
  readonly currency: string
  /** What usage cost beyond the balance and is billed when its period ends, an exact decimal string. */
  readonly overdraft: string
  /** Null where nothing is bought by itself. */
  readonly autoTopUp: Required<AutoTopUpInput> | null
}

export interface Balance {
  /**
   * Buys balance: charges the way to pay that is on file, and grants the amount in the change that marks the invoice as paid. It
   * never expires. A decline voids the invoice. Throws `invalid_customer`, `invalid_amount`, `invalid_key`, `key_conflict`,
   * `store_unavailable`.
   */
  topUp(input: TopUpInput): Promise<Collected>
  /** What a customer has now: grants in the order in which they pay, and their sum. */
  get(customerId: string): Promise<BalanceHoldings>
  /** Every movement, newest first, each with the balance after it. Throws `invalid_option` for a cursor of another listing. */
  ledger(customerId: string, page?: PageRequest): Promise<Page<LedgerEntry>>
  /** Grants balance that was not bought. Throws `invalid_amount`, `invalid_timestamp`, `invalid_option`, `key_conflict`. */
  grant(input: BalanceGrantInput): Promise<GrantView>
  /** Takes back what is left of a grant, or part of it. Throws `not_found`, `revoke_exceeds_grant`, `invalid_amount`, `key_conflict`. */
  revoke(input: BalanceRevokeInput): Promise<GrantView>
  /**
   * Buys balance by itself after an event leaves less than the threshold, or one is refused for lack of it, on a plan of prepaid balance; null turns it off. At
   * most one attempt is under way for a customer, whatever the number of processes. Throws `invalid_customer`, `invalid_amount`,
   * `invalid_option`.
   */
  setAutoTopUp(customerId: string, settings: AutoTopUpInput | null): Promise<void>
}

export interface PrepaidParts {
  readonly store: Store
  readonly clock: Clock
  readonly catalog: Catalog
  readonly ready: Promise<void>
  readonly purchases: Purchases
  readonly granting: Granting
  readonly ledger: (customerId: string, page: PageRequest) => Promise<Page<LedgerEntry>>
}

export function createCredits({ store, clock, catalog, ready, purchases, granting, ledger }: PrepaidParts): Credits {
  return {
    async buyPack({ customerId, pack: code, idempotencyKey: key }) {
      checkCustomer(customerId)
      checkKey(key)
      packIn(catalog, catalog.currency, code)
      await ready
      return purchases.buy(packSale({ customerId, code, key, packFor: (currency) => packIn(catalog, currency, code) }))
    },
    async get(customerId) {
      await ready
      return store.change({ customerId }, (state) => ({ result: holdingsOf(granting.inForce(state, clock.now())), entries: [] }))
    },
    ledger: (customerId, page = {}) => ledger(customerId, page),
    async grant({ credits, ...terms }) {
      const amount = creditsOf(credits)
      return granting.grant(terms, () => amount)
    },
    async revoke({ credits, ...terms }) {
      const amount = credits === undefined ? null : creditsOf(credits)
      return granting.revoke(terms, () => amount)
    },
  }
}

/** Throws `unknown_pack`. */
function packIn(catalog: Catalog, currency: string, code: string): CreditPack {
  const packs = catalog.offers.get(currency)?.creditPacks
  const pack = packs?.get(code)
  if (pack !== undefined) return pack
  const codes = [...(packs?.keys() ?? [])].join(', ') || 'none'
  throw new FareboxError(
    'unknown_pack',
    `Expected one of the catalog's packs of credits (${codes}), got ${JSON.stringify(code)}`,
    {
      fields: { pack: code },
    },
  )
}

function creditsOf(input: QuantityInput): Decimal {
  const credits = parseQuantity(input, 'credits')
  if (credits > 0n) return quantityToDecimal(credits)
  throw new FareboxError('invalid_quantity', 'Expected credits to be more than none, got 0', { fields: { value: input } })
}

export interface BalanceParts extends PrepaidParts {
  readonly automatic: AutomaticTopUps
}

const DEFAULT_COOL_DOWN_MINUTES = 60
const MAX_COOL_DOWN_MINUTES = 43_200
const MINUTE_MS = 60_000

export function createBalance(parts: BalanceParts): Balance {
  const { store, clock, catalog, ready, purchases, granting, ledger, automatic } = parts
  const currencyIn = (state: AccountState): string => currencyOf(state, catalog.currency)

  return {
    async topUp({ customerId, amount, idempotencyKey: key }) {
      checkCustomer(customerId)
      checkKey(key)
      await ready
      return purchases.buy(
        topUpSale({ customerId, key, amountIn: (currency) => parseAmount(amount, currency, 'amount'), amount }),
      )
    },
    async get(customerId) {
      await ready
      return store.change({ customerId }, (state) => ({ result: shownBalance(state), entries: [] }))
    },
    ledger: (customerId, page = {}) => ledger(customerId, page),
    grant: async ({ amount, ...terms }) =>
      granting.grant(terms, (currency) => moneyToDecimal(parseAmount(amount, currency, 'amount'))),
    revoke: async ({ amount, ...terms }) =>
      granting.revoke(terms, (currency) =>
        amount === undefined ? null : moneyToDecimal(parseAmount(amount, currency, 'amount')),
      ),
    setAutoTopUp,
  }

  async function setAutoTopUp(customerId: string, settings: AutoTopUpInput | null): Promise<void> {
    checkCustomer(customerId)
    if (settings !== null) checkSettings(settings)
    await ready
    await store.change({ customerId }, (state): Change<void> => {
      const { autoTopUp: _before, ...customer } = withCurrency(state, clock.now(), currencyIn(state)).customer
      const changed: Customer = settings === null ? customer : { ...customer, autoTopUp: settingsOf(settings, currencyIn(state)) }
      return { result: undefined, entries: [{ kind: 'customer', customer: changed }] }
    })
    if (settings !== null) automatic.consider(customerId)
  }

  function shownBalance(state: AccountState): BalanceHoldings {
    const currency = currencyIn(state)
    const overdraft = state.usage.reduce((sum, { uncovered }) => add(sum, uncovered), DECIMAL_ZERO)
    const settings = state.customer?.autoTopUp
    return {
      ...holdingsOf(granting.inForce(state, clock.now())),
      currency,
      overdraft: formatDecimal(overdraft),
      autoTopUp: settings === undefined ? null : shownSettings(settings),
    }
  }
}

const SETTINGS = ['threshold', 'amount', 'coolDownMinutes', 'monthlyCeiling']

function checkSettings(settings: AutoTopUpInput): void {
  const where = 'balance.setAutoTopUp()'
  refuseUnknownOptions(where, settings, SETTINGS)
  const { coolDownMinutes: minutes = DEFAULT_COOL_DOWN_MINUTES } = settings
  if (!(Number.isSafeInteger(minutes) && minutes >= 1 && minutes <= MAX_COOL_DOWN_MINUTES))
    throw invalidOption(where, 'coolDownMinutes', `a whole number from 1 to ${MAX_COOL_DOWN_MINUTES}`, minutes)
}

function settingsOf(settings: AutoTopUpInput, currency: string): AutoTopUp {
  const { coolDownMinutes = DEFAULT_COOL_DOWN_MINUTES } = settings
  const amount = moneyToDecimal(parseAmount(settings.amount, currency, 'amount'))
  const monthlyCeiling = moneyToDecimal(parseAmount(settings.monthlyCeiling, currency, 'monthlyCeiling'))
  if (compare(monthlyCeiling, amount) < 0)
    throw invalidOption(
      'balance.setAutoTopUp()',
      'monthlyCeiling',
      `at least the amount of ${settings.amount}`,
      settings.monthlyCeiling,
    )
  const threshold = moneyToDecimal(readAmount(settings.threshold, currency, 'threshold'))
  return { threshold, amount, coolDownMs: coolDownMinutes * MINUTE_MS, monthlyCeiling }
}

function shownSettings({ threshold, amount, coolDownMs, monthlyCeiling }: AutoTopUp): Required<AutoTopUpInput> {
  return {
    threshold: formatDecimal(threshold),
    amount: formatDecimal(amount),
    coolDownMinutes: coolDownMs / MINUTE_MS,
    monthlyCeiling: formatDecimal(monthlyCeiling),
  }
}
