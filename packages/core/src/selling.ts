/** Puts together what is sold and collected: packs, top-ups, payments, refunds, one-off invoices and credit notes. */

import type { AccountState } from './account/account-state.ts'
import { currencyOf } from './account/opening.ts'
import type { Segment, Subscription } from './account/subscription.ts'
import { type AutomaticTopUps, createAutomaticTopUps } from './automatic-top-ups.ts'
import type { Catalog } from './catalog/catalog.ts'
import type { Plan } from './catalog/plan.ts'
import { createCharging } from './charging.ts'
import { type Collecting, createCollecting } from './collecting.ts'
import type { PaymentProvider } from './contracts/payment-provider.ts'
import type { Store } from './contracts/store.ts'
import { createCreditNotes, type CreditNotes } from './credit-notes.ts'
import type { DraftingParts } from './draft-of-moment.ts'
import { createGranting, type PaidUnit } from './granting.ts'
import { createLedger } from './ledger.ts'
import { createOneOffInvoices, type OneOffInput } from './one-off.ts'
import { createPayments, type Payments } from './payments.ts'
import { type Balance, createBalance, createCredits, type Credits } from './prepaid.ts'
import { createPurchases } from './purchases.ts'
import type { Invoice } from './records/invoice.ts'
import { type Clock, monotonicMs } from './values/clock.ts'
import { inTime } from './values/in-time.ts'

export interface SellingParts extends DraftingParts {
  readonly store: Store
  readonly clock: Clock
  readonly catalog: Catalog
  readonly ready: Promise<void>
  readonly provider: PaymentProvider
  readonly planOf: (subscription: Subscription, segment: Segment) => Plan
  /** Series of the invoice numbers, and of those of credit notes. */
  readonly series: string
  readonly creditNoteSeries: string
  readonly onError: (error: unknown) => void
}

/** What `createFarebox` gives to applications. */
export interface Sold {
  readonly credits: Credits
  readonly balance: Balance
  readonly payments: Payments
  readonly creditNotes: CreditNotes
}

export interface Selling {
  readonly sold: Sold
  /** What invoices can do because they are collected. */
  readonly invoicing: { readonly collecting: Collecting; readonly createOneOff: (input: OneOffInput) => Promise<Invoice> }
  readonly automatic: AutomaticTopUps
  /** Begins to ask about what is under way, now and then. */
  start(): void
  /** Begins nothing more, and waits for calls that are under way until then (monotonic). What they are about is asked at the next start. */
  stop(untilMs: number): Promise<void>
}

/** What a process left behind is asked about this often, and what is under way as its own time says. */
const ASK_MS = 60_000

export function createSelling(parts: SellingParts): Selling {
  const { store, clock, catalog, provider, planOf, onError } = parts
  const currencyIn = (state: AccountState): string => currencyOf(state, catalog.currency)
  const charging = createCharging({ store, clock, provider, onError })
  const shared = { ...parts, charging, currency: catalog.currency, currencyOf: currencyIn }
  const purchases = createPurchases(shared)
  const prepaid = (unit: PaidUnit) => {
    const granting = createGranting(shared, unit)
    return { ...shared, purchases, granting, ledger: createLedger({ ...shared, granting }, unit) }
  }
  const ofBalance = prepaid('balance')
  const automatic = createAutomaticTopUps({ store, clock, planOf, purchases, charging, granting: ofBalance.granting, onError })
  const { tell, ...payments } = createPayments(shared)
  provider.listen?.(tell)
  let timer: NodeJS.Timeout | null = null

  return {
    sold: {
      credits: createCredits(prepaid('credits')),
      balance: createBalance({ ...ofBalance, automatic }),
      payments: { ...payments, askAgain: async () => automatic.idle().then(payments.askAgain) },
      creditNotes: createCreditNotes({ ...shared, series: parts.creditNoteSeries }),
    },
    invoicing: { collecting: createCollecting(shared), createOneOff: createOneOffInvoices(shared) },
    automatic,
    start() {
      look()
      timer = setInterval(look, ASK_MS).unref()
    },
    stop,
  }

  function look(): void {
    void charging.askAll('due').catch(onError)
  }

  async function stop(untilMs: number): Promise<void> {
    if (timer !== null) clearInterval(timer)
    automatic.stop()
    const done = Promise.all([automatic.idle(), charging.idle()])
    await inTime(Math.max(0, untilMs - monotonicMs()), done)
  }
}
