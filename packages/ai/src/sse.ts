/** Server-sent events out of bytes or text that come in pieces of any size. */

import { createParser } from 'eventsource-parser'

export interface EventData {
  /** Takes the next piece. Never throws. */
  feed(piece: Uint8Array | string): void
  /** Takes what has come as whole, since nothing comes any more: some servers leave the last empty line out. */
  end(): void
}

/** No event with token counts is larger. What is in a larger one, a picture say, passes unread. */
const LARGEST_EVENT = 16 * 1024 * 1024

/** Gives the data of each event to `onData`. */
export function readEventData(onData: (data: string) => void): EventData {
  const decoder = new TextDecoder()
  let isOverfull = false
  const parser = createParser({
    maxBufferSize: LARGEST_EVENT,
    onEvent: ({ data }) => onData(data),
    onError(error) {
      isOverfull ||= error.type === 'max-buffer-size-exceeded'
    },
  })
  return {
    feed: (piece) => feed(typeof piece === 'string' ? piece : decoder.decode(piece, { stream: true })),
    end: () => feed('\n\n'),
  }

  function feed(text: string): void {
    // The parser takes nothing more until it is told to forget the event that was too large.
    if (isOverfull) parser.reset()
    isOverfull = false
    parser.feed(text)
  }
}
