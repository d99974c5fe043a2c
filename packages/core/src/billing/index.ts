/** @farebox/core/billing: the billing routes, one web-standard router that every adapter mounts. */

export { billing } from './billing.ts'
export type { BillingRouter } from './billing.ts'
export type { BillingOptions } from './options.ts'
export { nodeListener } from './node-listener.ts'
