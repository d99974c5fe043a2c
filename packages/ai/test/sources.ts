/** Streams that end as a test wants them to. */

const encoder = new TextEncoder()

export interface Source<Chunk> {
  readonly stream: ReadableStream<Chunk>
  /** How many chunks were asked for, the end included. */
  pulls(): number
  /** What the stream was cancelled with. */
  cancelled(): unknown
}

/** Gives the chunks, one for each time it is asked, and then ends, or fails with `error`. */
export function sourceOf<Chunk>(chunks: readonly Chunk[], error?: Error): Source<Chunk> {
  let pulls = 0
  let cancelled: unknown
  const stream = new ReadableStream<Chunk>(
    {
      pull(controller) {
        const chunk = chunks[pulls]
        pulls += 1
        if (chunk !== undefined) controller.enqueue(chunk)
        else if (error === undefined) controller.close()
        else controller.error(error)
      },
      cancel(reason) {
        cancelled = reason
      },
    },
    { highWaterMark: 0 },
  )
  return { stream, pulls: () => pulls, cancelled: () => cancelled }
}

export async function* chunksOf<Chunk>(chunks: readonly Chunk[], error?: Error): AsyncGenerator<Chunk> {
  yield* chunks
  if (error !== undefined) throw error
}

export function bytesOf(text: string): Uint8Array {
  return encoder.encode(text)
}

/** The bytes in pieces that end at these places. */
export function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const ends = [...new Set(places)].filter((place) => place > 0 && place < bytes.length).toSorted((a, b) => a - b)
  return [0, ...ends].map((start, i) => bytes.subarray(start, ends[i] ?? bytes.length))
}

/** Reads chunks until the end, the error or `most` of them, and leaves then. */
export async function drain<Chunk>(
  stream: ReadableStream<Chunk>,
  most: number = Number.POSITIVE_INFINITY,
): Promise<{ readonly chunks: Chunk[]; readonly error: unknown }> {
  const reader = stream.getReader()
  const chunks: Chunk[] = []
  try {
    while (chunks.length < most) {
      const { done, value } = await reader.read()
      if (done) return { chunks, error: undefined }
      chunks.push(value)
    }
    await reader.cancel('left')
    return { chunks, error: undefined }
  } catch (error) {
    return { chunks, error }
  }
}
