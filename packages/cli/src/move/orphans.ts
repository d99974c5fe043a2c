/** Ends the reservations of processes that died, as an application does when it starts. */

import { tmpdir } from 'node:os'
import path from 'node:path'
import { createFarebox, parseCatalog } from '@farebox/core'
import { randomId, type Store } from '@farebox/core/contracts'

/** Takes a store of its own, and closes it. Rejects with the first error of a reservation that could not be ended. */
export async function resolveOrphans(store: Store, onCrash: 'charge' | 'void'): Promise<void> {
  await store.open()
  const [catalog] = await store.catalogs()
  // What was reserved was reserved under a catalog.
  if (catalog === undefined) return store.close()
  const errors: unknown[] = []
  const farebox = createFarebox({
    catalog: parseCatalog(catalog.document),
    store,
    onCrash,
    // The spool of the application is its own; this one is never made, because nothing is served.
    spool: path.join(tmpdir(), `${randomId('farebox-move')}.db`),
    onError: (error) => errors.push(error),
  })
  try {
    await farebox.ready
  } finally {
    await farebox.stop()
  }
  if (errors.length > 0) throw errors[0]
}
