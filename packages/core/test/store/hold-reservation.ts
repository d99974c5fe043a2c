/** A process that holds a reservation until it is killed. Usage: node hold-reservation.ts <database> */

import { sqlite } from '../../src/sqlite/store.ts'

const [file = ''] = process.argv.slice(2)
const at = Date.UTC(2026, 0, 1)
const store = sqlite({ path: file })
await store.change({ customerId: 'ada' }, () => ({
  result: undefined,
  entries: [
    { kind: 'customer', customer: { id: 'ada', name: null, email: null, timeZone: 'UTC', createdAt: at } },
    {
      kind: 'reserved',
      reservation: {
        customerId: 'ada',
        feature: 'api_calls',
        quantity: 3_000_000n,
        key: 'held',
        at,
        route: null,
        periodStart: at,
      },
    },
  ],
}))
process.stdout.write('held\n')
setInterval(() => {}, 1_000)
