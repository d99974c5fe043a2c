/**
 * A process of its own on a database. Usage: node sqlite-process.ts <database> [reservation]. It opens a store and closes it, or
 * makes the reservation, given as JSON with its quantity as text, says so, and waits to be killed.
 */

import { sqlite } from '@farebox/core/sqlite'
import type { Reservation } from '@farebox/core/contracts'
import { opening } from '../../src/store/records.ts'

const [file = '', given] = process.argv.slice(2)
const store = sqlite({ path: file })
await store.open()
if (given === undefined) {
  await store.close()
} else {
  const { quantity, ...rest } = JSON.parse(given) as Omit<Reservation, 'quantity'> & { readonly quantity: string }
  const reservation: Reservation = { ...rest, quantity: BigInt(quantity) }
  await store.change({ customerId: reservation.customerId }, (state) => ({
    result: undefined,
    entries: [...opening(state), { kind: 'reserved', reservation }],
  }))
  process.stdout.write('held\n')
  setInterval(() => {}, 1_000)
}
