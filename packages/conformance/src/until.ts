/** Waiting for what happens after a client has its answer. */

const EVERY_MS = 5

export interface Waiting {
  /** Says what did not happen. */
  readonly what: string
  readonly withinMs: number
}

/** Resolves when `holds` does. Rejects when it does not in time. */
export async function until({ what, withinMs }: Waiting, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let waitedMs = 0; !(await holds()); waitedMs += EVERY_MS) {
    if (waitedMs > withinMs) throw tooLate({ what, withinMs })
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS))
  }
}

/** The promise, or a rejection when it is not settled in time. */
export async function inTime<T>({ what, withinMs }: Waiting, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(tooLate({ what, withinMs })), withinMs)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

function tooLate({ what, withinMs }: Waiting): Error {
  return Object.assign(new Error(`did not happen within ${withinMs} ms: ${what}`), { name: 'Late' })
}
