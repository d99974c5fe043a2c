/** Payments that no machine sees, such as bank transfers: the operator says when the money came. */

import type { ChargeResult, PaymentProvider } from '../contracts/payment-provider.ts'
import { FareboxError } from '../errors.ts'

/**
 * A charge is pending until `invoices.markPaid()` says that the money came, or `invoices.void()` that nobody waits for it any more. A
 * refund counts at once: whoever asks for it has sent the money back, or will. There is nothing to leave a way to pay on and nothing
 * that calls back: `createCheckout` throws `no_checkout`, `parseWebhook` throws `invalid_webhook`.
 *
 * @example createFarebox({ catalog, store, payments: manual() })
 */
export function manual(): PaymentProvider {
  return {
    id: 'manual',
    charge: async () => WAITING,
    refund: async ({ key }) => ({ kind: 'succeeded', reference: key }),
    status: async () => WAITING,
    async createCheckout() {
      throw new FareboxError(
        'no_checkout',
        'Expected a payment provider with a page for ways to pay, got manual(): tell the customer where to transfer the money, and call invoices.markPaid() when it came',
      )
    },
    async parseWebhook() {
      throw new FareboxError('invalid_webhook', 'Expected a webhook of a payment provider that sends some, got one for manual()')
    },
  }
}

const WAITING: ChargeResult = { kind: 'pending', reference: null, awaits: 'operator' }
