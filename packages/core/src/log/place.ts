/** Finds an event's place among what the log holds: new, a repeat, or a conflict. */

import type { ModelCharge } from '../records/charge.ts'
import type { ModelUsage } from '../records/model-usage.ts'
import type { NewUsageEvent, Properties, UsageEvent } from '../records/usage-event.ts'

export type Place =
  | { readonly kind: 'new' }
  /** The same content came before under this key: accepted, not counted. */
  | { readonly kind: 'repeat'; readonly event: UsageEvent }
  /** Other content came before under this key: nothing is written. `fields` names what differs. */
  | { readonly kind: 'conflict'; readonly event: UsageEvent; readonly fields: readonly string[] }

/** What is compared besides the event itself. */
export interface Told {
  /** Whether the caller gave the instant. */
  readonly isInstantGiven: boolean
  /** Tokens of an AI model that the caller reported. */
  readonly usage: ModelUsage | null
}

/**
 * Pure. Compared field by field. A retry that lets Farebox read the clock cannot give the same instant again, so the
 * instant is compared only when the caller gave it.
 */
export function place(event: NewUsageEvent, known: UsageEvent | undefined, { isInstantGiven, usage }: Told): Place {
  if (known === undefined) return { kind: 'new' }
  const fields: string[] = []
  if (known.feature !== event.feature) fields.push('feature')
  if (known.quantity !== event.quantity) fields.push('value')
  if (isInstantGiven && known.at !== event.at) fields.push('timestamp')
  if (!areSame(known.properties, event.properties)) fields.push('properties')
  if (usage !== null && !hasTokens(known.charge?.model, usage)) fields.push('usage')
  return fields.length === 0 ? { kind: 'repeat', event: known } : { kind: 'conflict', event: known, fields }
}

/** The model's name may be told in another way each time; its tokens may not. */
function hasTokens(model: ModelCharge | undefined, { inputTokens, outputTokens }: ModelUsage): boolean {
  if (model === undefined) return false
  const sum = (isOutput: boolean): number =>
    model.classes.filter(({ name }) => (name === 'output') === isOutput).reduce((tokens, one) => tokens + one.tokens, 0)
  return sum(true) === outputTokens && sum(false) === inputTokens
}

function areSame(a: Properties | null, b: Properties | null): boolean {
  const left = Object.entries(a ?? {})
  const right = b ?? {}
  return (
    left.length === Object.keys(right).length &&
    left.every(([name, value]) => Object.hasOwn(right, name) && right[name] === value)
  )
}
