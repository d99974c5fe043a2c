/** Waits for something, but not for longer than a limit. */

/** What the promise gives, or null when it takes longer. What it rejects with after that is nobody's. */
export async function inTime<T>(withinMs: number, promise: Promise<T>): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined
  const tooLate = new Promise<null>((resolve) => (timer = setTimeout(() => resolve(null), withinMs)))
  try {
    return await Promise.race([promise, tooLate])
  } finally {
    clearTimeout(timer)
  }
}
