/** What a customer's id may look like. */

/** Printable ASCII without spaces, 1 to 128 characters, so that no two ids can look the same and differ. */
const FORMAT = /^[\x21-\x7e]{1,128}$/

export function isCustomerId(id: unknown): id is string {
  return typeof id === 'string' && FORMAT.test(id)
}
