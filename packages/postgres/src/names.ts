/** Where the tables are: one schema, and a prefix for those who share it. */

export interface Names {
  readonly schema: string
  readonly prefix: string
  /** The quoted name of a private table, sequence or function: `"farebox"."_events"`. */
  of(name: string): string
  /** The quoted name of a public view. */
  view(name: string): string
  /** The name alone, as the catalogs of PostgreSQL have it. */
  bare(name: string): string
}

export function createNames(schema: string, prefix: string): Names {
  const bare = (name: string): string => `_${prefix}${name}`
  return {
    schema,
    prefix,
    bare,
    of: (name) => `"${schema}"."${bare(name)}"`,
    view: (name) => `"${schema}"."${prefix}${name}"`,
  }
}
