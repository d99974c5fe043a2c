/** What a store or a payment provider is written against. */

export * from './store.ts'
export { applyEntry, emptyAccount, findUsage, usageOf } from '../account/account-state.ts'
export type { AccountState, ApiKeyRecord, Entry, Usage } from '../account/account-state.ts'
export type { Customer } from '../account/customer.ts'
export type { Subscription, SubscriptionStatus } from '../account/subscription.ts'
export type { Claim } from '../records/claim.ts'
export type { Invoice, InvoiceLine, InvoiceStatus, InvoiceType, LineType } from '../records/invoice.ts'
export type { Reservation } from '../records/reservation.ts'
export type { NewUsageEvent, Properties, UsageEvent } from '../records/usage-event.ts'
export type { UsageTotal } from '../records/usage-total.ts'
export { FareboxError } from '../errors.ts'
export { invariant } from '../values/invariant.ts'
