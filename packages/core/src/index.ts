/** @farebox/core: meters, gates and bills an HTTP API from inside the application that serves it. */

export { createFarebox } from './farebox.ts'
export type { Farebox, FareboxOptions } from './farebox.ts'
export { ALARMS } from './health.ts'
export type { Alarm, AlarmCode, Health } from './health.ts'
export type { SpoolOptions } from './spool/spool-options.ts'
export { defaultFarebox } from './default-farebox.ts'
export { defineCatalog, parseCatalog } from './catalog/define-catalog.ts'
export type { CatalogDefinition } from './catalog/define-catalog.ts'
export type { Catalog, FeatureCode, PlanCode, Register } from './catalog/catalog.ts'
export type { FeatureDefinition } from './catalog/feature.ts'
export type { PlanDefinition } from './catalog/plan.ts'
export type { PriceDefinition, TierDefinition } from './catalog/price.ts'
export type { ApiKey, ApiKeys, CustomerInput, Customers } from './admin.ts'
export type { CancelInput, ChangeTime, PauseInput, PlanChangeInput, PriceMoveInput } from './subscription-changes.ts'
export type { SubscriptionChange, SubscriptionInput, Subscriptions } from './subscriptions.ts'
export type { ScheduledChange, SubscriptionView } from './subscription-view.ts'
export type { FeatureUsage, TrackInput, Usages } from './usage.ts'
export type { TrackResult } from './meter.ts'
export type { Entitlement, EntitlementQuery, Entitlements } from './entitlements.ts'
export type { ExplainQuery, GrantShare, LineExplanation } from './explain.ts'
export type { ProveQuery } from './prove.ts'
export type { CloseResult, TotalDifference } from './close.ts'
export type { Collected } from './collected.ts'
export type { InvoiceCollection } from './collecting.ts'
export type { CreditNoteRequest, CreditNoteResult, CreditNotes } from './credit-notes.ts'
export type { GrantView, Holdings } from './grant-view.ts'
export type { Invoices } from './invoices.ts'
export type { LedgerEntry } from './ledger-entries.ts'
export type { OneOffInput } from './one-off.ts'
export type { CheckoutRequest, PaymentQuery, Payments } from './payments.ts'
export type {
  AutoTopUpInput,
  Balance,
  BalanceGrantInput,
  BalanceHoldings,
  BalanceRevokeInput,
  CreditGrantInput,
  CreditRevokeInput,
  Credits,
  PackInput,
  TopUpInput,
} from './prepaid.ts'
export { manual } from './providers/manual.ts'
export type { Refunded, RefundRequest } from './refunds.ts'
export type { PaymentProvider } from './contracts/payment-provider.ts'
export type { Payment, PaymentStatus, Refund } from './records/payment.ts'
export type { Audit, Difference } from './verify.ts'
export type { Page, PageRequest, Store, StoreFacts } from './contracts/store.ts'
export type { Customer } from './account/customer.ts'
export type { SubscriptionStatus } from './account/subscription.ts'
export { amountDue } from './records/invoice.ts'
export type {
  Invoice,
  InvoiceLine,
  InvoiceSeal,
  InvoiceStatus,
  InvoiceType,
  LineDiscount,
  LineTax,
  LineType,
  TaxTreatment,
} from './records/invoice.ts'
export type { Refusal, RefusalCode } from './records/refusal.ts'
export type { NewUsageEvent, Properties, UsageEvent } from './records/usage-event.ts'
export { invoiceJson } from './invoice/invoice-json.ts'
export type { InvoiceJson, InvoiceLineJson, LineDiscountJson, LineTaxJson } from './invoice/invoice-json.ts'
export { invoiceHtml } from './invoice/invoice-html.ts'
export { printedInvoice } from './invoice/printed-invoice.ts'
export type { PrintedInvoice, PrintedLine, PrintedSum, PrintOptions } from './invoice/printed-invoice.ts'
export { fixedTaxRates } from './invoice/tax/fixed-rates.ts'
export type { FixedTaxOptions, FixedTaxRate } from './invoice/tax/fixed-rates.ts'
export type { TaxableLine, TaxInput, TaxOfLine, TaxParty, TaxRules } from './contracts/tax-rules.ts'
export { verifyEventProof } from './invoice/seal/seal.ts'
export type { EventProof, EventProofCheck } from './invoice/seal/seal.ts'
export type { SealedEvent } from './invoice/seal/leaf.ts'
export { systemClock, testClock } from './values/clock.ts'
export type { Clock, TestClock } from './values/clock.ts'
export { displayMoney, formatMoney, sumMoney } from './values/money.ts'
export type { Money } from './values/money.ts'
export { formatQuantity, parseQuantity } from './values/quantity.ts'
export type { Quantity, QuantityInput } from './values/quantity.ts'
export { formatInstant } from './values/instant.ts'
export { ERRORS, FareboxError } from './errors.ts'
export type { ErrorCode } from './errors.ts'
export { InvariantError } from './values/invariant.ts'
