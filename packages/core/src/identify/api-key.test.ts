/** What can be an API key, by its text alone. */

import { expect, it } from 'vitest'
import { newApiKey, parseApiKey } from './api-key.ts'

it('finds a typing error without asking the store', () => {
  const { text, id } = newApiKey()
  const presented = parseApiKey(text)
  expect(presented).toMatchObject({ id, secret: expect.stringMatching(/^[0-9a-f]{64}$/) })
  const { secret } = presented ?? { secret: '' }
  expect(parseApiKey(text.replace(secret.slice(0, 4), '0000'))).toBeNull()
})
