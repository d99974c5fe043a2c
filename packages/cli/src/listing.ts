/** Reads a listing of Farebox from its first page to its last. */

/** The items, page after page. */
export async function* eachOf<T>(
  list: (after: string | undefined) => Promise<{ readonly items: readonly T[]; readonly next: string | null }>,
): AsyncGenerator<T> {
  let after: string | undefined
  do {
    const page = await list(after)
    yield* page.items
    after = page.next ?? undefined
  } while (after !== undefined)
}
