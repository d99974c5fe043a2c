/** Reads listings page by page, and works on the items of a page side by side. */

import type { Page, PageRequest } from '@farebox/core/contracts'

/** Items of a page, which are worked on side by side. */
const PAGE = 1_000

/** Events are small, and there are most of them. */
export const LOG_PAGE = 10_000

/** The pages of a listing. The next one is read while one is worked on. */
export async function* pagesOf<T>(
  read: (page: PageRequest) => Promise<Page<T>>,
  limit: number = PAGE,
): AsyncGenerator<readonly T[]> {
  let coming = read({ limit })
  for (;;) {
    const { items, next } = await coming
    if (next !== null) {
      coming = read({ limit, after: next })
      // Who reads on meets it; who does not has met another error.
      coming.catch(() => {})
    }
    yield items
    if (next === null) return
  }
}

/** Asks for all in their order. Rejects with the error of the first that failed, when none is under way any more. */
export async function sideBySide<T, Result>(items: readonly T[], work: (item: T) => Promise<Result>): Promise<Result[]> {
  const settled = await Promise.allSettled(items.map(work))
  return settled.map((result) => {
    if (result.status === 'rejected') throw result.reason
    return result.value
  })
}

export async function countOf(read: (page: PageRequest) => Promise<Page<unknown>>): Promise<number> {
  let count = 0
  for await (const page of pagesOf(read)) count += page.length
  return count
}
