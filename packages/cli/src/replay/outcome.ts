/** What became of one line of the log, told from the answer alone as any client sees it. */

export type Outcome =
  /** Admitted and answered below 400. */
  | { readonly kind: 'billed'; readonly feature: string }
  /** Admitted, and answered with a status that is not billed. */
  | { readonly kind: 'voided'; readonly feature: string }
  /** Stopped by the meter: 402, or 403 where the plan lacks the feature. */
  | { readonly kind: 'refused'; readonly feature: string }
  /** No metered route answered, or the line holds no request that can be sent. */
  | { readonly kind: 'unmatched' }

/** What the client got. */
export interface Answer {
  readonly status: number
  /** The `RateLimit` header; null when there is none. */
  readonly rateLimit: string | null
  /** What the adapter noted on the request itself, inside the process; null when nothing. */
  readonly markedFeature: string | null
  /** The body of a problem document, empty in answer to a HEAD; null when the answer is no such document. */
  readonly problem: string | null
}

/**
 * Tells the cases apart: a refusal is a problem document that names the feature, and every other metered answer carries
 * `RateLimit: "<feature>";…`; only where the plan sets no limit there is none, and the adapter's mark tells. Billing is read
 * as the default `billWhen` has it, because a client knows no other rule.
 */
export function outcomeOf(answer: Answer): Outcome {
  const refused = refusedFeature(answer)
  if (refused !== null) return { kind: 'refused', feature: refused }
  const feature = meteredFeature(answer.rateLimit) ?? answer.markedFeature
  if (feature === null) return { kind: 'unmatched' }
  return answer.status < 400 ? { kind: 'billed', feature } : { kind: 'voided', feature }
}

/** The answer to a HEAD has no body, but the `RateLimit` header of a refusal names the feature too. */
function refusedFeature({ status, problem, rateLimit }: Answer): string | null {
  if (problem === null || (status !== 402 && status !== 403)) return null
  const { feature } = membersOf(problem)
  return typeof feature === 'string' ? feature : meteredFeature(rateLimit)
}

/** The name of the policy, a quoted string at the start of the field; a feature code needs no escapes. */
function meteredFeature(rateLimit: string | null): string | null {
  if (rateLimit === null || !rateLimit.startsWith('"')) return null
  const end = rateLimit.indexOf('"', 1)
  return end === -1 ? null : rateLimit.slice(1, end)
}

/** The members of a JSON object; none when the text is no such thing. */
export function membersOf(json: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(json)
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}
