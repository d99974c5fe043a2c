/** Checks options as a JavaScript caller may give them: unknown names and impossible values are refused at start-up. */

import { FareboxError } from './errors.ts'

/** Throws `invalid_option` for a name that is not among `names`. */
export function refuseUnknownOptions(where: string, options: object, names: readonly string[]): void {
  for (const name of Object.keys(options)) {
    if (names.includes(name)) continue
    throw new FareboxError(
      'invalid_option',
      `Expected the options of ${where} to be among ${names.join(', ')}, got ${name}: fix its spelling or remove it`,
      {
        fields: { option: name, expected: names },
      },
    )
  }
}

/** Throws `invalid_option` for a value that is given and not among `words`. */
export function refuseOtherWords(where: string, name: string, value: unknown, words: readonly string[]): void {
  if (value === undefined || (typeof value === 'string' && words.includes(value))) return
  throw invalidOption(where, name, words.map((word) => `'${word}'`).join(' or '), value)
}

/** Throws `invalid_option` for a value that is given and is no function. */
export function refuseOtherThanFunction(where: string, name: string, value: unknown): void {
  if (value === undefined || typeof value === 'function') return
  throw invalidOption(where, name, 'a function', value)
}

export function invalidOption(where: string, name: string, expected: string, value: unknown): FareboxError {
  const shown =
    typeof value === 'string' ? `'${value}'` : typeof value === 'object' && value !== null ? 'an object' : String(value)
  return new FareboxError('invalid_option', `Expected ${name} of ${where} to be ${expected}, got ${shown}`, {
    fields: { option: name, expected, value },
  })
}
