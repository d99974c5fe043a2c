/** What `farebox doctor` tells of anything, and what it looks at whatever the database is. */

/** One thing that was looked at. */
export interface Finding {
  readonly what: string
  readonly value: string
  /** What is wrong and what to do; null when nothing is. */
  readonly problem: string | null
}

const OLDEST_NODE = [22, 13] as const

export function nodeFinding(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [oldestMajor, oldestMinor] = OLDEST_NODE
  const isOld = major < oldestMajor || (major === oldestMajor && minor < oldestMinor)
  return { what: 'Node', value: version, problem: isOld ? `expected ${OLDEST_NODE.join('.')} or later: update Node` : null }
}

/** Numbers of the newest migration that the database has and that this program knows. */
export function schemaFinding({ found, known }: { readonly found: number; readonly known: number }): Finding {
  const older = found < known ? 'older than this program, which brings it up to date when it starts' : null
  const problem = found > known ? 'newer than this program: update Farebox' : null
  return { what: 'schema', value: `${found}${older === null ? '' : `, ${older}`}`, problem }
}
