/** Waiting for what happens after a client has its answer. */

const EVERY_MS = 5

const WITHIN_MS = 5_000

/** Resolves when `holds` does. Rejects with `what` after five seconds. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let waitedMs = 0; !(await holds()); waitedMs += EVERY_MS) {
    if (waitedMs > WITHIN_MS) throw new Error(`did not happen within five seconds: ${what}`)
    await pause(EVERY_MS)
  }
}

/** The promise, or an error with `what` after five seconds. */
export async function inTime<T>(what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`did not happen within five seconds: ${what}`)), WITHIN_MS)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

function pause(durationMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationMs))
}
