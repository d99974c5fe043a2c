/** Passes a stream on chunk by chunk, untouched, while somebody watches what goes by and how it ends. */

import { fieldsOf } from './fields.ts'

/** How a stream ended: the source had no more, the source broke, or whoever read it left. */
export type StreamEnd = 'finished' | 'failed' | 'left'

export interface Watcher<Chunk> {
  /** A chunk on its way to whoever reads, and never one that nobody asked for. */
  saw(chunk: Chunk): void
  /** Once, before whoever reads is told of the end. What it throws reaches them in the end's place. */
  ended(end: StreamEnd): Promise<void>
}

/** A stream with the same chunks, which reads the source no faster than it is read. */
export function passStreamOn<Chunk>(source: ReadableStream<Chunk>, watcher: Watcher<Chunk>): ReadableStream<Chunk> {
  const reader = source.getReader()
  const end = once(watcher)
  let isLeft = false

  async function pull(controller: ReadableStreamDefaultController<Chunk>): Promise<void> {
    const result = await nextOf(() => reader.read(), end)
    // The source of a stream that was left ends for that reason.
    if (isLeft) return
    if (result.done) {
      await end('finished')
      return controller.close()
    }
    watcher.saw(result.value)
    controller.enqueue(result.value)
  }

  async function cancel(reason: unknown): Promise<void> {
    isLeft = true
    // Watched first, and not waited for: what was used is known at once, and the provider hears at once that nobody listens.
    const watched = end('left')
    const results = await Promise.allSettled([watched, reader.cancel(reason)])
    for (const result of results) if (result.status === 'rejected') throw result.reason
  }

  return new ReadableStream<Chunk>({ pull, cancel }, { highWaterMark: 0 })
}

/** An iterator over the same chunks. */
export function passChunksOn<Chunk>(source: AsyncIterable<Chunk>, watcher: Watcher<Chunk>): AsyncIterableIterator<Chunk> {
  const iterator = source[Symbol.asyncIterator]()
  const end = once(watcher)

  async function next(): Promise<IteratorResult<Chunk>> {
    const result = await nextOf(() => iterator.next(), end)
    if (result.done === true) await end('finished')
    else watcher.saw(result.value)
    return result
  }

  async function leave(): Promise<IteratorResult<Chunk>> {
    const watched = end('left')
    const results = await Promise.allSettled([watched, iterator.return?.()])
    for (const result of results) if (result.status === 'rejected') throw result.reason
    return { done: true, value: undefined }
  }

  const passing: AsyncIterableIterator<Chunk> = { next, return: leave, [Symbol.asyncIterator]: () => passing }
  return passing
}

async function nextOf<Result>(next: () => Promise<Result>, end: Watcher<never>['ended']): Promise<Result> {
  try {
    return await next()
  } catch (error) {
    // Only this side aborts, and mostly because its client is gone.
    await end(fieldsOf(error).name === 'AbortError' ? 'left' : 'failed')
    throw error
  }
}

/** Tells of the first end only: after it there is none. */
function once({ ended }: Pick<Watcher<never>, 'ended'>): Watcher<never>['ended'] {
  let hasEnded = false
  return async (end) => {
    if (hasEnded) return
    hasEnded = true
    await ended(end)
  }
}
