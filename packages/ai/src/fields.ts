/** Looks into values of another's making: whatever they are, the answer is of the type that was asked for. */

export type Fields = Readonly<Record<string, unknown>>

/** The members of an object; of anything else, none. */
export function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {}
}

export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A text; of anything else, an empty one. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/** A text with something in it. */
export function nameOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

/** A count of tokens as providers write it. */
export function countOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined
}
