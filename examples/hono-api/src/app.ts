/** Checks bank account numbers: one by one, or several at once, each counted as a check. */

import type { Farebox } from '@farebox/core'
import { billing, meter } from '@farebox/hono'
import { Hono } from 'hono'
import { checkIban } from './iban.ts'

const MOST_AT_ONCE = 100

export function createApp(farebox: Farebox): Hono {
  const app = new Hono()
  app.get('/', (c) => c.json({ check: '/v1/ibans/{iban}', checkSeveral: '/v1/ibans?iban={iban}&iban={iban}' }))

  const v1 = new Hono()
  v1.use(meter({ farebox }))
  v1.get('/ibans/:iban', (c) => c.json({ ...checkIban(c.req.param('iban')), checksLeft: c.get('meter')?.remaining }))
  v1.get('/ibans', meter('checks', { farebox, units: (c) => ibansOf(c.req.queries('iban')).length }), (c) => {
    const ibans = ibansOf(c.req.queries('iban'))
    if (ibans.length === 0) return c.json({ error: 'Give one or more IBANs: ?iban=…&iban=…' }, 400)
    if (ibans.length > MOST_AT_ONCE) return c.json({ error: `Give at most ${MOST_AT_ONCE} IBANs at once` }, 400)
    return c.json({ checks: ibans.map(checkIban) })
  })
  app.route('/v1', v1)
  // What the customer has used and owes, by the same API key.
  app.route('/billing', billing({ farebox }))
  return app
}

function ibansOf(query: readonly string[] | undefined): readonly string[] {
  return query ?? []
}
