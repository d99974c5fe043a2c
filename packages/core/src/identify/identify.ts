/** Finds the customer of a request: by the developer's own function, or by Farebox's API keys. */

import { LRUCache } from 'lru-cache'
import type { ApiKeyRecord } from '../account/account-state.ts'
import { isOutage } from '../errors.ts'
import { isApiKeyValid, parseApiKey } from './api-key.ts'

/** How many keys are remembered, and for how long: a revoked key stops working within this time in every process. */
const REMEMBERED_KEYS = 10_000
const REMEMBERED_FOR_MS = 10_000

/** While the store does not answer, a key that was good is taken for so long after it was looked up. Whether such a request is served is `onStoreError`. */
const TRUSTED_FOR_MS = 60 * 60 * 1_000

export interface KeyIdentification {
  /** Gives the customer's id for a request; a promise only when the store has to be asked. */
  identify(request: { header(name: string): string | undefined }): string | null | Promise<string | null>
  /** Forgets every remembered key, so that a key revoked in this process stops working at once. */
  forget(): void
}

/** The default way: the `x-api-key` header or a bearer token, looked up among the stored keys. */
export function createKeyIdentification(findKey: (id: string) => Promise<ApiKeyRecord | null>): KeyIdentification {
  const remembered = new LRUCache<string, string>({ max: REMEMBERED_KEYS, ttl: REMEMBERED_FOR_MS, noDeleteOnStaleGet: true })

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
    if (presented === null) return null
    let stored: ApiKeyRecord | null
    try {
      stored = await findKey(presented.id)
    } catch (error) {
      const trusted = isOutage(error) ? lately(text) : undefined
      if (trusted === undefined) throw error
      return trusted
    }
    if (stored === null || !isApiKeyValid(presented, stored)) {
      remembered.delete(text)
      return null
    }
    remembered.set(text, stored.customerId)
    return stored.customerId
  }

  /** The customer of a key that was good when it was looked up last, which is not long ago. */
  function lately(text: string): string | undefined {
    // What is left of its time is negative when it is over.
    if (remembered.getRemainingTTL(text) < REMEMBERED_FOR_MS - TRUSTED_FOR_MS) return undefined
    return remembered.peek(text, { allowStale: true })
  }
}

/** RFC 6750: `Authorization: Bearer <token>`; the scheme's name in any case (RFC 9110 section 11.1). */
export function bearerToken(authorization: string | undefined): string | undefined {
  if (authorization === undefined || authorization.length < 8 || authorization.slice(0, 7).toLowerCase() !== 'bearer ')
    return undefined
  return authorization.slice(7).trim()
}
