/** What a store's test gives to the suite: databases to run it on, and a way to look into them past the store. */

import type { Reservation, Store } from '@farebox/core/contracts'

/** A row as the driver gives it: integers may be bigints, numbers or text. */
export type StoreRow = Readonly<Record<string, unknown>>

/** A database of its own for one check. */
export interface StoreDatabase {
  /**
   * A store on it as a process of its own would have it, not opened yet; the suite opens and closes it. A check may have several
   * at once. At most `cacheSize` accounts are kept in memory, none when it is 0.
   */
  store(options: { readonly cacheSize: number }): Store
  /**
   * The second eye: the rows of a SELECT on the public views `customers`, `events`, `totals`, `records`, `grants`, `counters`,
   * `reservations` and `invoices`, read without any part of the store.
   */
  rows(sql: string): Promise<readonly StoreRow[]>
  /** Another process makes this reservation, and its customer where there is none, and dies. Resolves when the database can know that. */
  leave(reservation: Reservation): Promise<void>
  /** Makes it look as if a newer program had changed it in a way that this one does not understand. */
  becomeNewer(): Promise<void>
  /** A process of the operating system opens a store on it and closes it. Where it is given, several do it at once. */
  openElsewhere?(): Promise<void>
  /** Removes it. The stores are closed by then. */
  remove(): Promise<void>
}
