/** A mistake that the user can mend: the command prints its message as one sentence and ends. */

export class CommandError extends Error {
  override readonly name = 'CommandError'
  /** What the process ends with. */
  readonly exitStatus: number

  constructor(message: string, exitStatus = 1) {
    super(message)
    this.exitStatus = exitStatus
  }
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** The system's or a library's own code of an error, such as `ENOENT`; an empty string when it has none. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}
