/** Every check of a store, in the order of the ids. */

import type { StoreCheck } from '../check.ts'
import { ACCOUNT_CHECKS } from './accounts.ts'
import { CHANGE_CHECKS } from './changes.ts'
import { CHARGE_CHECKS } from './charges.ts'
import { COUNTER_CHECKS } from './counters.ts'
import { GRANT_CHECKS } from './grants.ts'
import { INVOICE_CHECKS } from './invoices.ts'
import { LIFECYCLE_CHECKS } from './lifecycle.ts'
import { LOG_CHECKS } from './log.ts'
import { PAGE_CHECKS } from './pages.ts'
import { RESERVATION_CHECKS } from './reservations.ts'
import { ROUND_CHECKS } from './rounds.ts'
import { TOTAL_CHECKS } from './totals.ts'
import { VALUE_CHECKS } from './values.ts'

/** What a store promises. Ids never change their meaning. */
export const STORE_CHECKS: readonly StoreCheck[] = [
  ...LOG_CHECKS,
  ...CHANGE_CHECKS,
  ...VALUE_CHECKS,
  ...TOTAL_CHECKS,
  ...ROUND_CHECKS,
  ...CHARGE_CHECKS,
  ...GRANT_CHECKS,
  ...COUNTER_CHECKS,
  ...PAGE_CHECKS,
  ...RESERVATION_CHECKS,
  ...ACCOUNT_CHECKS,
  ...INVOICE_CHECKS,
  ...LIFECYCLE_CHECKS,
].toSorted((a, b) => (a.id < b.id ? -1 : 1))
