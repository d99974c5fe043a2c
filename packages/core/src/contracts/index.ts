/** What a store or a payment provider is written against. */

export type * from './model-prices.ts'
export * from './paging.ts'
export type * from './payment-provider.ts'
export * from './store.ts'
export type { TaxableLine, TaxInput, TaxOfLine, TaxParty, TaxRules } from './tax-rules.ts'
export * from './waiting.ts'
export {
  applyEntry,
  emptyAccount,
  findUsage,
  loadRecord,
  loadReservation,
  recordsChangedBy,
  usageOf,
} from '../account/account-state.ts'
export type { AccountState, ApiKeyRecord, Entry, Usage } from '../account/account-state.ts'
export { type ChangedRecords, createChangedRecords } from '../account/changed-records.ts'
export { customerFromDocument, customerToDocument } from '../account/customer.ts'
export type { AutomaticTopUps, AutoTopUp, Customer } from '../account/customer.ts'
export { subscriptionColumns, subscriptionFromDocument, subscriptionToDocument, withNextMoment } from '../account/subscription.ts'
export type { Subscription, SubscriptionStatus } from '../account/subscription.ts'
export { chargeFromDocument, chargeToDocument } from '../records/charge.ts'
export type { Charge, ChargePart, ModelCharge } from '../records/charge.ts'
export { grantFromRecord, paymentFromRecord, recordName, unpricedFromRecord } from '../records/account-record.ts'
export type { AccountRecord, RecordKey, RecordKind, StoredRecord } from '../records/account-record.ts'
export type { Grant, GrantSource, GrantUnit, Revocation } from '../records/grant.ts'
export type { Asked, Bought, Payment, PaymentResult, PaymentStatus, Refund } from '../records/payment.ts'
export type { UnpricedUsage } from '../records/unpriced-usage.ts'
export type { Claim } from '../records/claim.ts'
export type {
  Invoice,
  InvoiceLine,
  InvoiceRequest,
  InvoiceSeal,
  InvoiceStatus,
  InvoiceType,
  LineDiscount,
  LineTax,
  LineType,
  TaxTreatment,
} from '../records/invoice.ts'
export type { Reservation } from '../records/reservation.ts'
export type { NewUsageEvent, Properties, UsageEvent } from '../records/usage-event.ts'
export type { UsageTotal } from '../records/usage-total.ts'
export { FareboxError } from '../errors.ts'
export { invariant } from '../values/invariant.ts'
export { invalidOption, refuseOtherThanFunction, refuseOtherWords, refuseUnknownOptions } from '../options.ts'
export { parseInvoiceNumber } from '../records/invoice.ts'
export { invoiceFromStored, invoiceToDocument } from '../records/invoice-document.ts'
export { monotonicMs, systemClock } from '../values/clock.ts'
export { randomId } from '../values/id.ts'
export { formatInstant, parseInstant } from '../values/instant.ts'
export { createRecent } from '../values/recent.ts'
export type { Recent } from '../values/recent.ts'
export type { Decimal } from '../values/decimal.ts'
export { add, decimal, DECIMAL_ZERO, formatDecimal, parseDecimal, storedDecimal, subtract } from '../values/decimal.ts'
export type { Quantity } from '../values/quantity.ts'
