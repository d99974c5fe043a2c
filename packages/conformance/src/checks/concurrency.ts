/** Requests at the same time: nothing is sold twice, nothing is lost. */

import { expect } from 'vitest'
import type { Check } from '../check.ts'
import { LIMIT } from '../world.ts'

const BURST = 20

/** Past ten listeners of one kind Node warns of a leak; this many requests would be far past it. */
const ON_ONE_SOCKET = 100

export const CONCURRENCY_CHECKS: readonly Check[] = [
  {
    id: 'C46',
    situations: [46],
    level: 'MUST',
    title: 'of a burst at the limit exactly as many handlers run, and are billed, as are left',
    async run(world) {
      const app = await world.start()
      const answers = await Promise.all(Array.from({ length: BURST }, () => app.send('GET /plain/1')))
      const count = (status: number): number => answers.filter((answer) => answer.status === status).length
      expect([count(200), count(402), app.ran.length]).toEqual([LIMIT, BURST - LIMIT, LIMIT])
      expect(await app.billed()).toHaveLength(LIMIT)
    },
  },
  {
    id: 'C47',
    situations: [47],
    level: 'MUST',
    title: 'requests under way hold their units, so that slow handlers do not oversell',
    async run(world) {
      const app = await world.start()
      const names = Array.from({ length: LIMIT }, (_, index) => `slow-${index}`)
      const slow = names.map((name) => app.send(`GET /hold/${name}`))
      await Promise.all(names.map((name) => app.controls.reached(name)))
      expect(await app.reserved()).toBe(LIMIT)
      expect(await app.send('GET /plain/1')).toMatchObject({ status: 402 })
      for (const name of names) app.controls.release(name)
      for (const { status } of await Promise.all(slow)) expect(status).toBe(200)
      expect(await app.billed()).toEqual(Array(LIMIT).fill('ada api_calls 1 /hold/:name'))
    },
  },
  {
    id: 'C48',
    situations: [48],
    level: 'MUST',
    title: 'what a failed request gives back is there for the next one at once',
    async run(world) {
      const app = await world.start()
      for (let sent = 0; sent < LIMIT; sent++) {
        expect(await app.send('GET /status/500')).toMatchObject({ status: 500 })
        expect(await app.send('GET /plain/1')).toMatchObject({ status: 200 })
      }
      expect(await app.send('GET /plain/1')).toMatchObject({ status: 402 })
      expect(await app.used('ada')).toBe(LIMIT)
    },
  },
  {
    id: 'C67',
    situations: [67],
    level: 'MUST',
    title: `${ON_ONE_SOCKET} requests on one connection are each settled, and leave no listener behind`,
    async run(world) {
      const leaks: string[] = []
      const note = (warning: Error): void => void (warning.name === 'MaxListenersExceededWarning' && leaks.push(warning.message))
      process.on('warning', note)
      try {
        const app = await world.start()
        await app.farebox.subscriptions.create({ customerId: 'ada', plan: 'large' })
        const client = app.connect()
        for (let sent = 0; sent < ON_ONE_SOCKET; sent++) expect(await client.send('GET /plain/1')).toMatchObject({ status: 200 })
        expect(await app.used('ada')).toBe(ON_ONE_SOCKET)
        expect(app.ledger.events()).toHaveLength(ON_ONE_SOCKET)
        expect(leaks).toEqual([])
      } finally {
        process.off('warning', note)
      }
    },
  },
]
