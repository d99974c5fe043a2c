/** The request headers of a replay. An application may honour them in `mode: 'replay'` only. */

/** The client of the line: the customer. */
export const CLIENT_HEADER = 'x-forwarded-for'
/** The status that the log recorded. */
export const STATUS_HEADER = 'x-replay-status'
/** The size of the body that the log recorded. */
export const BYTES_HEADER = 'x-replay-bytes'
/** The time of the line, epoch milliseconds: the replay sets the clock to it. */
export const TIME_HEADER = 'x-replay-time'
/** The number of the line: the replay's own mark. */
export const LINE_HEADER = 'x-replay-line'
