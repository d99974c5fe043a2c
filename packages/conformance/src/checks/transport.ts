/** What requests carry besides their content. */

import { expect } from 'vitest'
import type { Check } from '../check.ts'

const TRACE_PARENTS = [
  '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  '00-00000000000000000000000000000000-0000000000000000-00',
  'garbage; not a trace',
]

export const TRANSPORT_CHECKS: readonly Check[] = [
  {
    id: 'C72',
    situations: [72],
    level: 'MUST',
    title: 'a traceparent, valid or not, is no reason to refuse a request',
    async run(world) {
      const app = await world.start()
      for (const traceparent of TRACE_PARENTS)
        expect(await app.send('GET /plain/1', { headers: { traceparent } })).toMatchObject({ status: 200 })
      expect(await app.billed()).toHaveLength(TRACE_PARENTS.length)
    },
  },
]
