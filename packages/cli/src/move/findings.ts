/** What a comparison gathers: how much was compared, and what differs. */

export type MovedKind = 'catalog' | 'customer' | 'subscription' | 'api_key' | 'record' | 'counter' | 'event' | 'total' | 'invoice'

/** One thing that is not in the target as it is in the source. */
export interface MoveDifference {
  readonly kind: MovedKind
  /** Null where it is nobody's. */
  readonly customerId: string | null
  /** One sentence for a person. */
  readonly message: string
}

export interface Findings {
  /** How many of each the source holds. */
  readonly compared: Readonly<Record<MovedKind, number>>
  readonly differences: readonly MoveDifference[]
  /** So many more of the source were compared. */
  count(kind: MovedKind, more: number): void
  differs(difference: MoveDifference): void
  /** Says so when the target holds another number than was compared. */
  checkCount(kind: MovedKind, found: number): void
}

/** More than anybody reads; when everything differs, memory must not grow with it. */
const MOST_DIFFERENCES = 1_000

const WORDS: Readonly<Record<MovedKind, string>> = {
  catalog: 'catalogs',
  customer: 'customers',
  subscription: 'subscriptions',
  api_key: 'API keys',
  record: 'records',
  counter: 'counters',
  event: 'events',
  total: 'totals',
  invoice: 'invoices',
}

export function createFindings(): Findings {
  const compared = { catalog: 0, customer: 0, subscription: 0, api_key: 0, record: 0, counter: 0, event: 0, total: 0, invoice: 0 }
  const differences: MoveDifference[] = []
  return {
    compared,
    differences,
    count(kind, more) {
      compared[kind] += more
    },
    differs,
    checkCount(kind, found) {
      const expected = compared[kind]
      if (found !== expected)
        differs({ kind, customerId: null, message: `Expected ${expected} ${WORDS[kind]} in the target, found ${found}` })
    },
  }

  function differs(difference: MoveDifference): void {
    if (differences.length < MOST_DIFFERENCES) differences.push(difference)
  }
}
