/** Who a key belongs to, while the store answers and while it does not. */

import { expect, it, vi } from 'vitest'
import { FareboxError } from '../errors.ts'
import { newApiKey } from './api-key.ts'
import { createKeyIdentification } from './identify.ts'

it('takes a customer by a key that was good within the last hour, when the store does not answer', async () => {
  const { text, id, secretHash } = newApiKey()
  const stored = { id, customerId: 'ada', name: null, secretHash, createdAt: 0, revokedAt: null as number | null }
  const find = vi.fn<() => Promise<typeof stored>>(async () => stored)
  const now = vi.spyOn(performance, 'now').mockReturnValue(1)
  // The cache reads its clock once a millisecond.
  const wait = async (durationMs: number): Promise<void> => {
    await new Promise((resolve) => setTimeout(resolve, 5))
    now.mockReturnValue(performance.now() + durationMs)
  }
  const { identify } = createKeyIdentification(find)
  const ask = async (key: string): Promise<string | null> =>
    identify({ header: (name) => (name === 'x-api-key' ? key : undefined) })

  expect(await ask(text)).toBe('ada')
  find.mockRejectedValue(new FareboxError('store_unavailable', 'The store is down'))
  await wait(20_000)
  expect(await ask(text)).toBe('ada')
  expect(find).toHaveBeenCalledTimes(2)
  await expect(ask(newApiKey().text)).rejects.toMatchObject({ code: 'store_unavailable' })
  await wait(3_600_000)
  await expect(ask(text)).rejects.toMatchObject({ code: 'store_unavailable' })

  // When the store is back its word stands, and is not forgotten when it is gone again.
  find.mockResolvedValue(stored)
  expect(await ask(text)).toBe('ada')
  await wait(20_000)
  find.mockResolvedValue({ ...stored, revokedAt: 1 })
  expect(await ask(text)).toBeNull()
  find.mockRejectedValue(new FareboxError('store_unavailable', 'The store is down'))
  await expect(ask(text)).rejects.toMatchObject({ code: 'store_unavailable' })
  now.mockRestore()
})
