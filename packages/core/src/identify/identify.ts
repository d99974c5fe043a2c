/** Finds the customer of a request: by the developer's own function, or by Farebox's API keys. */

import { LRUCache } from 'lru-cache'
import type { ApiKeyRecord } from '../account/account-state.ts'
import { isApiKeyValid, parseApiKey } from './api-key.ts'

/** How many keys are remembered, and for how long: a revoked key stops working within this time in every process. */
const REMEMBERED_KEYS = 10_000
const REMEMBERED_FOR_MS = 10_000

export interface KeyIdentification {
  /** Gives the customer's id for a request; a promise only when the store has to be asked. */
  identify(request: { header(name: string): string | undefined }): string | null | Promise<string | null>
  /** Forgets every remembered key, so that a key revoked in this process stops working at once. */
  forget(): void
}

/** The default way: the `x-api-key` header or a bearer token, looked up among the stored keys. */
export function createKeyIdentification(findKey: (id: string) => Promise<ApiKeyRecord | null>): KeyIdentification {
  const remembered = new LRUCache<string, string>({ max: REMEMBERED_KEYS, ttl: REMEMBERED_FOR_MS })

  return {
    identify(request) {
      const text = request.header('x-api-key') ?? bearerToken(request.header('authorization'))
      if (text === undefined) return null
      return remembered.get(text) ?? look(text)
    },
    forget: () => remembered.clear(),
  }

  async function look(text: string): Promise<string | null> {
    const presented = parseApiKey(text)
    const stored = presented === null ? null : await findKey(presented.id)
    if (presented === null || stored === null || !isApiKeyValid(presented, stored)) return null
    remembered.set(text, stored.customerId)
    return stored.customerId
  }
}

/** RFC 6750: `Authorization: Bearer <token>`; the scheme's name in any case (RFC 9110 section 11.1). */
export function bearerToken(authorization: string | undefined): string | undefined {
  if (authorization === undefined || authorization.length < 8 || authorization.slice(0, 7).toLowerCase() !== 'bearer ')
    return undefined
  return authorization.slice(7).trim()
}
