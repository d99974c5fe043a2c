/**
 * A process of its own on a schema. Usage: node store-process.ts <url> <schema> [reservation]. It opens a store and closes it, or
 * makes the reservation, given as JSON with its quantity as text, says so, and waits to be killed.
 */

import type { Entry, Reservation } from '@farebox/core/contracts'
import { postgres } from '../src/index.ts'

const [connectionString = '', schema = '', given] = process.argv.slice(2)
const store = postgres({ connectionString, schema })
await store.open()
if (given === undefined) {
  await store.close()
} else {
  const { quantity, ...rest } = JSON.parse(given) as Omit<Reservation, 'quantity'> & { readonly quantity: string }
  const reservation: Reservation = { ...rest, quantity: BigInt(quantity) }
  const { customerId: id, at: createdAt } = reservation
  const customer: Entry = { kind: 'customer', customer: { id, name: null, email: null, timeZone: 'UTC', createdAt } }
  await store.change({ customerId: id }, (state) => ({
    result: undefined,
    entries: [...(state.customer === null ? [customer] : []), { kind: 'reserved', reservation }],
  }))
  process.stdout.write('held\n')
  setInterval(() => {}, 1_000)
}
