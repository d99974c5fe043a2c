/** Every error that Farebox throws, in one table. Codes never change their meaning; docs/errors.md lists the same. */

/** The developer's or caller's mistake, or a store that cannot answer. Expected answers (402, 409) are values, not errors. */
export const ERRORS = {
  invalid_catalog: 'The catalog contradicts itself or misses something',
  unknown_feature: 'A feature code is not in the catalog',
  unknown_plan: 'A plan code is not in the catalog',
  invalid_option: 'An option is unknown or has a value that it cannot have',
  no_farebox: 'meter() or billing() has no Farebox to work with',
  no_default_feature: 'meter() meters the default feature, and the catalog has none',
  invalid_quantity: 'A quantity is not a finite, non-negative decimal with at most six places',
  invalid_customer: 'A customer id is not acceptable',
  invalid_key: 'An idempotency key is not acceptable',
  invalid_timestamp: 'A timestamp is no instant, or is too far in the future',
  invalid_properties: 'The properties of an event are too many, too long or not flat',
  invalid_price: 'A price is not a decimal string',
  invalid_time_zone: 'A time zone is not an IANA name',
  period_invoiced: 'The event belongs to a period whose invoice is final',
  credit_exceeds_invoice: 'A credit note takes back more than its invoice or a line of it still holds',
  not_billable: 'A request was served while the store could not answer, and its plan does not count it',
  invalid_model_usage: 'The token counts of an AI model are not whole numbers, or its name is missing',
  unknown_model: 'No price list has an AI model',
  unpriceable_usage: 'The tokens of an AI model have no price',
  limit_reached: 'A counter that all customers share has none left',
  invalid_transition: 'A subscription or an invoice does not allow a step in its status',
  unknown_coupon: 'A coupon code is not in the catalog',
  not_redeemable: 'A coupon is not for the plan of the customer',
  usage_unreadable: 'An answer of an AI model does not say what it used',
  usage_untracked: 'An AI model was called, and what it used was not recorded',
  unknown_pack: 'A code of a pack of credits is not in the catalog',
  invalid_amount: 'An amount of money or credits is not a decimal string that it can be',
  key_conflict: 'An idempotency key was used for something else before',
  refund_exceeds_payment: 'A refund gives back more than is left of what was paid',
  revoke_exceeds_grant: 'More of a grant is taken back than is left of it',
  no_checkout: 'The payment provider has no page on which a customer leaves a way to pay',
  invalid_webhook: 'A webhook is not signed as its payment provider signs, or is not understood',
  already_subscribed: 'The customer has an active subscription',
  not_found: 'There is no such object',
  store_unavailable: 'The store cannot answer in time',
  store_not_writable: 'The database file cannot be opened for writing',
  store_unsupported: 'The database or its library is of a version that cannot be trusted or understood',
  store_unsafe: 'The database server may lose what it acknowledged',
  reservations_pending: 'A store whose requests are still in flight cannot be moved',
  not_movable: 'A store holds what no other store can be given',
  target_not_empty: "The target of a move holds what is not the source's",
  stopped: 'This Farebox was stopped',
} as const

export type ErrorCode = keyof typeof ERRORS

/** Whether an error says that the store cannot answer, rather than anything about what was asked of it. */
export function isOutage(error: unknown): error is FareboxError {
  return error instanceof FareboxError && (error.code === 'store_unavailable' || error.code === 'stopped')
}

/** What a `FareboxError` carries besides its message. */
export interface ErrorDetails {
  /** Data for programs: the field, the value, what was expected. */
  readonly fields?: Readonly<Record<string, unknown>>
  readonly cause?: unknown
}

/** An error with a stable code. The message says what was expected, what came and what to do. */
export class FareboxError extends Error {
  override readonly name = 'FareboxError'
  readonly code: ErrorCode
  readonly fields: Readonly<Record<string, unknown>>

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.fields = details.fields ?? {}
  }
}
