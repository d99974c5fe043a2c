import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { runInOrder } from '../src/replay/schedule.ts'

interface Item {
  readonly key: string
  readonly number: number
}

async function* given(items: readonly Item[]): AsyncGenerator<Item> {
  yield* items
}

function itemsOf(keys: readonly string[]): Item[] {
  return keys.map((key, number) => ({ key, number }))
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

describe('lines run in order', () => {
  it('those of one customer never overlap and keep their order, those of others run side by side within the width', async () => {
    const scenario = fc.record({
      items: fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.nat(3)), { maxLength: 60 }),
      width: fc.integer({ min: 1, max: 5 }),
      ahead: fc.integer({ min: 1, max: 12 }),
    })
    await fc.assert(
      fc.asyncProperty(scenario, async ({ items, width, ahead }) => {
        const running = new Set<string>()
        const done: Item[] = []
        const all = itemsOf(items.map(([key]) => key))
        const run = async (item: Item): Promise<void> => {
          expect(running.has(item.key)).toBe(false)
          running.add(item.key)
          expect(running.size).toBeLessThanOrEqual(width)
          await turns(items[item.number]?.[1] ?? 0)
          running.delete(item.key)
          done.push(item)
        }
        await runInOrder({ items: given(all), keyOf: (item) => item.key, run, width, ahead })
        const numbersOf = (list: readonly Item[], key: string): number[] =>
          list.filter((item) => item.key === key).map((item) => item.number)
        for (const key of ['a', 'b', 'c', 'd']) expect(numbersOf(done, key)).toEqual(numbersOf(all, key))
      }),
      { numRuns: 60 },
    )
  })

  it('end with the first failure, after what was running has ended', async () => {
    const done: number[] = []
    const run = async ({ number }: Item): Promise<void> => {
      await turns(number === 1 ? 1 : 3)
      if (number === 1) throw new Error('line 1 failed')
      done.push(number)
    }
    const items = given(itemsOf(['a', 'b', 'c', 'a', 'b', 'c', 'd']))
    await expect(runInOrder({ items, keyOf: ({ key }) => key, run, width: 3, ahead: 4 })).rejects.toThrow('line 1 failed')
    expect(done).toEqual([0, 2])
  })

  it('stop at the signal', async () => {
    const controller = new AbortController()
    const done: number[] = []
    const run = async ({ number }: Item): Promise<void> => {
      await turns(1)
      done.push(number)
      if (number === 1) controller.abort()
    }
    await runInOrder({
      items: given(itemsOf(['a', 'a', 'a', 'a'])),
      keyOf: ({ key }) => key,
      run,
      width: 2,
      ahead: 2,
      signal: controller.signal,
    })
    expect(done).toEqual([0, 1])
  })
})
