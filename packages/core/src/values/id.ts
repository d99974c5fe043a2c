/** Identifiers and secrets: the only place where chance comes in. */

import { createHash, randomBytes } from 'node:crypto'

/** 128 bits: no two are ever the same. */
const ID_BYTES = 16

/** 72 bits name a process among all that ever wrote to one log, in as few characters as can be: each event carries them. */
const SOURCE_BYTES = 9

/** A new identifier such as `sub_4f0c…`: the prefix and 32 hexadecimal digits. */
export function randomId(prefix: string): string {
  return `${prefix}_${randomBytes(ID_BYTES).toString('hex')}`
}

/** An identifier that is the same for the same texts, and for no others: what is asked for twice is found by it. */
export function derivedId(prefix: string, ...texts: readonly string[]): string {
  return `${prefix}_${digestOf(...texts)}`
}

/** 128 bits of a hash over texts, in hexadecimal digits: two different lists of texts never have the same. */
export function digestOf(...texts: readonly string[]): string {
  return createHash('sha256')
    .update(JSON.stringify(texts))
    .digest('hex')
    .slice(0, 2 * ID_BYTES)
}

/**
 * A source of keys that are never given twice: a random part drawn once, and a counter. A key costs no randomness, so one
 * can be made for each request. Its keys can be guessed from one another: they name things, they protect nothing.
 */
export function createKeySource(): () => string {
  const source = randomBytes(SOURCE_BYTES).toString('base64url')
  let count = 0
  return () => {
    count += 1
    return `${source}-${count.toString(36)}`
  }
}

/** A secret of so many random bytes, in hexadecimal digits. */
export function randomSecret(bytes: number): string {
  return randomBytes(bytes).toString('hex')
}
