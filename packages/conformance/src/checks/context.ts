/** What a handler sees of its own metering. */

import { expect } from 'vitest'
import type { Check } from '../check.ts'

export const CONTEXT_CHECKS: readonly Check[] = [
  {
    id: 'C66.1',
    situations: [66],
    level: 'MUST',
    title: 'a handler sees its customer, its feature, what is left, and the key of the event that it becomes',
    async run(world) {
      const app = await world.start()
      const { body } = await app.send('GET /context')
      expect(JSON.parse(body)).toEqual({ customerId: 'ada', feature: 'api_calls', key: expect.any(String), remaining: '2' })
      await app.billed()
      expect(app.ledger.events().map(({ key }) => key)).toEqual([JSON.parse(body).key])
    },
  },
  {
    id: 'C66.2',
    situations: [66],
    level: 'MUST',
    title: 'concurrent requests each see their own metering, before they wait and after',
    async run(world) {
      const app = await world.start()
      const customers = Array.from({ length: 8 }, (_, index) => `customer-${index}`)
      const requests = customers.map((as) => app.send(`GET /hold/${as}`, { as }))
      await Promise.all(customers.map((name) => app.controls.reached(name)))
      for (const name of customers.toReversed()) app.controls.release(name)
      const seen = (await Promise.all(requests)).map(({ body }) => JSON.parse(body))
      for (const [index, [before, after]] of seen.entries()) {
        expect(before).toMatchObject({ customerId: `customer-${index}` })
        expect(after).toEqual(before)
      }
      expect(new Set(seen.map(([before]) => before.key)).size).toBe(customers.length)
    },
  },
]
