/** A real Farebox whose gates also write down what the adapter told them. */

import { createFarebox, defineCatalog, type Farebox, formatQuantity } from '@farebox/core'
import type { Gate, MeterOptions, Outcome } from '@farebox/core/http'
import { sqlite } from '@farebox/core/sqlite'
import type { Context } from 'hono'
import { onTestFinished } from 'vitest'
import type { HonoMeterOptions } from '../src/index.ts'

export const LIMIT = 3

const catalog = defineCatalog({
  currency: 'USD',
  features: { api_calls: { type: 'metered', default: true }, downloads: { type: 'metered' }, pages: { type: 'metered' } },
  plans: {
    free: {
      name: 'Free',
      price: '0',
      interval: 'month',
      default: true,
      features: { api_calls: { included: LIMIT }, downloads: { included: 10 }, pages: { included: 10 } },
    },
  },
})

/** What a gate was asked. */
export interface Admission {
  readonly feature: string
  readonly method: string
  readonly route: string | null
}

export interface Observed {
  readonly farebox: Farebox
  /** For `meter()`: the gates of this Farebox, and customers by the `x-customer` header. */
  readonly options: HonoMeterOptions
  readonly admissions: readonly Admission[]
  readonly outcomes: readonly Outcome[]
  /** `feature quantity route` of every usage event, once all that was answered is settled. */
  billed(): Promise<string[]>
}

/** `whenAsked` runs before the gate decides. */
export function observed(whenAsked?: (c: Context) => Promise<void> | void): Observed {
  const farebox = createFarebox({ catalog, store: sqlite({ path: ':memory:' }) })
  onTestFinished(() => farebox.stop())
  const admissions: Admission[] = []
  const outcomes: Outcome[] = []

  function createGate<Raw>(feature: string | undefined, options?: MeterOptions<Raw>): Gate<Raw> {
    const gate = farebox.createGate(feature, options)
    return {
      async admit(request) {
        const { method, route } = request
        admissions.push({ feature: feature ?? 'api_calls', method, route })
        await whenAsked?.(request.raw as Context)
        return gate.admit(request)
      },
      settle(ticket, outcome, raw) {
        outcomes.push(outcome)
        gate.settle(ticket, outcome, raw)
      },
    }
  }

  async function billed(): Promise<string[]> {
    await until(async () => {
      const totals = await farebox.usage.totals({ customerId: 'ada' })
      return totals.every(({ reserved }) => reserved === 0n)
    })
    await farebox.flush()
    const { items } = await farebox.events.list()
    return items.map(({ feature, quantity, route }) => `${feature} ${formatQuantity(quantity)} ${route}`)
  }

  const identify = (c: Context): string => c.req.header('x-customer') ?? 'ada'
  return { farebox, options: { farebox: { createGate }, identify }, admissions, outcomes, billed }
}

/** Waits until something holds, for what a server does after its client has what it wants. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let waitedMs = 0; !(await holds()); waitedMs += 5) {
    if (waitedMs > 3000) throw new Error('what was waited for did not happen within 3 seconds')
    await pause(5)
  }
}

/** Gives a server the time to do what it must not do. */
export function pause(durationMs = 40): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationMs))
}
