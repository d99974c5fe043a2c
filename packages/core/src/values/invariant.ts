/** The one way to state what must hold: a broken invariant ends the request, never the process. */

/**
 * Throws `InvariantError` when `condition` is false. The message says the rule that was broken, as a sentence.
 * For impossible states only: a caller's mistake is a `FareboxError`, an expected answer a value in a union.
 */
export function invariant(condition: boolean, rule: string): asserts condition {
  if (!condition) throw new InvariantError(rule)
}

/** An impossible state was met: a defect in Farebox or a damaged store. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError'
  readonly code = 'invariant_broken'

  constructor(rule: string) {
    super(`Broken invariant: ${rule}`)
  }
}
