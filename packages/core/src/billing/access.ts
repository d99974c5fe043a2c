/** Who is calling: a customer by an API key, or the operator by the admin key. Neither is ever taken for the other. */

import { createHash, timingSafeEqual } from 'node:crypto'
import { isCustomerId } from '../identify/customer-id.ts'
import { bearerToken } from '../identify/identify.ts'
import type { BillingSettings } from './options.ts'
import { Problem } from './problems.ts'

export interface Access {
  /** The calling customer's id. Throws the problem `unidentified_customer`. */
  customerOf(request: Request): Promise<string>
  /** Throws the problem `admin_disabled` or `admin_required`. */
  requireOperator(request: Request): void
}

export function createAccess({ farebox, adminKey, identify }: BillingSettings): Access {
  // Digests have one length, so that comparing them takes one time.
  const expected = adminKey === null ? null : digest(adminKey)
  return {
    async customerOf(request) {
      const header = (name: string): string | undefined => request.headers.get(name) ?? undefined
      const customerId = await (identify ? identify(request) : farebox.apiKeys.identify({ header }))
      if (isCustomerId(customerId)) return customerId
      throw new Problem('unidentified_customer', 'Send your API key in the x-api-key header or as a bearer token.')
    },
    requireOperator(request) {
      if (expected === null)
        throw new Problem('admin_disabled', 'These routes are off: the application gives billing() an adminKey to turn them on.')
      const token = bearerToken(request.headers.get('authorization') ?? undefined)
      if (token !== undefined && timingSafeEqual(digest(token), expected)) return
      throw new Problem(
        'admin_required',
        'Send the admin key as a bearer token. An API key of a customer does not open this route.',
      )
    },
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
