/** Starting with a mistake, and stopping with requests under way. */

import { expect } from 'vitest'
import type { Check } from '../check.ts'
import type { SampleMeterLayer } from '../sample.ts'
import type { World } from '../world.ts'

async function startError(world: World, layer: (meter: SampleMeterLayer) => SampleMeterLayer): Promise<unknown> {
  return world.start({ layers: (meter) => [layer(meter)] }).then(
    () => null,
    (error: unknown) => error,
  )
}

export const LIFECYCLE_CHECKS: readonly Check[] = [
  {
    id: 'C68',
    situations: [68],
    level: 'MUST',
    title: 'a request under way while the application shuts down is answered, and billed before the engine has stopped',
    async run(world) {
      const app = await world.start()
      const request = app.send('GET /hold/one')
      await app.controls.reached('one')
      const closing = app.shutDown()
      const stopping = app.farebox.stop()
      app.controls.release('one')
      expect(await request).toMatchObject({ status: 200 })
      // An HTTP/2 server waits for its sessions.
      app.close()
      await Promise.all([closing, stopping])
      expect(app.ledger.pending()).toBe(0)
      expect(app.ledger.events()).toHaveLength(1)
    },
  },
  {
    id: 'C69.1',
    situations: [69],
    level: 'MUST',
    title: 'an unknown option ends the start with invalid_option',
    async run(world) {
      const misspelt = { unit: 2 }
      const error = await startError(world, (meter) => ({ ...meter, options: { ...meter.options, ...misspelt } }))
      expect(error).toMatchObject({ code: 'invalid_option', message: expect.stringContaining('unit') })
    },
  },
  {
    id: 'C69.2',
    situations: [69],
    level: 'MUST',
    title: 'a feature that is not in the catalog ends the start with unknown_feature',
    async run(world) {
      const error = await startError(world, (meter) => ({ ...meter, feature: 'api_cals' }))
      expect(error).toMatchObject({ code: 'unknown_feature', message: expect.stringContaining('api_calls') })
    },
  },
  {
    id: 'C69.3',
    situations: [69],
    level: 'MUST',
    title: 'units that are no quantity end the start with invalid_quantity',
    async run(world) {
      const error = await startError(world, (meter) => ({ ...meter, options: { ...meter.options, units: -1 } }))
      expect(error).toMatchObject({ code: 'invalid_quantity' })
    },
  },
]
