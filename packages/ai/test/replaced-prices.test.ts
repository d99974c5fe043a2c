/** Prices that an application put in the place of the bundled ones. In a file of its own, because nothing brings those back. */

import { type Provider, updatePrices, waitForUpdate } from '@pydantic/genai-prices'
import { expect, test } from 'vitest'
import { modelPrices } from '../src/model-prices.ts'

test('a list that was replaced prices nothing: the catalog would name what it no longer is', async () => {
  const usage = { model: 'gpt-4o', inputTokens: 1, outputTokens: 1 }
  const prices = modelPrices()
  expect(prices.quote(usage, 0).kind).toBe('priced')

  const bundled: Provider[] = (await waitForUpdate()) ?? []
  updatePrices(({ setProviderData }) => setProviderData(structuredClone(bundled)))

  for (const asked of [prices, modelPrices()]) {
    expect(asked.quote(usage, 0)).toEqual({ kind: 'unpriceable', reason: expect.stringContaining('updatePrices()') })
  }
})
