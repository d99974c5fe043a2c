/** Where each line of an export is in its file: one reading, and then any line is found without another. */

import type { RecordKind, StoredCatalog, StoredCounter, StoredTotal } from '@farebox/core/contracts'
import { CommandError, messageOf } from '../command-error.ts'
import { EXPORT_VERSION, type ExportCounts } from '../export/lines.ts'
import { periodKey } from '../move/periods.ts'
import {
  accountOf,
  catalogOf,
  counterOf,
  countIn,
  eventOf,
  invoiceOf,
  type Line,
  originalOf,
  parseLine,
  recordOf,
  textIn,
  totalOf,
} from './parse-lines.ts'
import { type Place, placedLines } from './places.ts'

export interface LineIndex {
  readonly catalogs: readonly StoredCatalog[]
  readonly counters: readonly StoredCounter[]
  readonly totals: readonly StoredTotal[]
  /** By id, in the order of the file. */
  readonly customers: ReadonlyMap<string, Place>
  readonly invoices: ReadonlyMap<string, Place>
  readonly records: ReadonlyMap<RecordKind, readonly Place[]>
  /** The events are the last lines but one, one behind the other. */
  readonly events: { readonly offset: number; readonly end: number }
  /** Of periods with several totals: where their events are, in their order, by `periodKey`. */
  readonly late: ReadonlyMap<string, readonly Place[]>
  /** Keys of corrected events, by customer and place. */
  readonly originals: ReadonlyMap<string, string>
}

export function originalName(customerId: string, seq: number): string {
  return `${customerId} ${seq}`
}

/** Throws one sentence for what is no export, for a line that cannot be read, and for a file that was cut off. */
export async function indexLines(file: string, name: string): Promise<LineIndex> {
  const indexing = createIndexing()
  let number = 0
  for await (const { place, text } of placedLines(file)) {
    number += 1
    try {
      indexing.add(parseLine(text), place, number)
    } catch (error) {
      if (number === 1) throw noExport(name)
      throw new CommandError(`Line ${number} of ${name} is not as it was exported (${messageOf(error)}): export again`)
    }
  }
  if (number === 0) throw noExport(name)
  if (!indexing.isWhole()) throw new CommandError(`${name} ends in the middle: export again, and let it end`)
  return indexing.index
}

interface Indexing {
  readonly index: LineIndex
  add(line: Line, place: Place, number: number): void
  isWhole(): boolean
}

function createIndexing(): Indexing {
  const counts: ExportCounts = { catalogs: 0, customers: 0, records: 0, counters: 0, totals: 0, invoices: 0, events: 0 }
  const catalogs: StoredCatalog[] = []
  const counters: StoredCounter[] = []
  const totals: StoredTotal[] = []
  const customers = new Map<string, Place>()
  const invoices = new Map<string, Place>()
  const records = new Map<RecordKind, Place[]>()
  const events = { offset: 0, end: 0 }
  const late = new Map<string, Place[]>()
  const originals = new Map<string, string>()
  const seen = new Set<string>()
  let isEnded = false
  return {
    index: { catalogs, counters, totals, customers, invoices, records, events, late, originals },
    add,
    isWhole: () => isEnded,
  }

  function add(line: Line, place: Place, number: number): void {
    const kind = textIn(line, 'kind')
    if ((number === 1) !== (kind === 'farebox') || isEnded) throw new Error(`there is no ${kind} in this place`)
    switch (kind) {
      case 'farebox':
        if (countIn(line, 'version') !== EXPORT_VERSION) throw new Error('it is of another version')
        return
      case 'catalog':
        counts.catalogs += 1
        catalogs.push(catalogOf(line))
        return
      case 'customer':
        counts.customers += 1
        customers.set(accountOf(line).customer.id, place)
        return
      case 'record':
        counts.records += 1
        addTo(records, recordOf(line).kind, place)
        return
      case 'counter':
        counts.counters += 1
        counters.push(counterOf(line))
        return
      case 'total':
        return addTotal(line)
      case 'invoice':
        counts.invoices += 1
        invoices.set(invoiceOf(line).id, place)
        return
      case 'event':
        return addEvent(line, place)
      case 'end':
        return end(line)
      default:
        throw new Error(`there is no kind ${kind}`)
    }
  }

  function addTotal(line: Line): void {
    counts.totals += 1
    const total = totalOf(line)
    totals.push(total)
    const key = periodKey(total)
    // Its second total: what is in it came late.
    if (seen.has(key)) late.set(key, [])
    seen.add(key)
  }

  function addEvent(line: Line, place: Place): void {
    if (counts.events === 0) events.offset = place.offset
    counts.events += 1
    events.end = place.offset + place.length
    const event = eventOf(line)
    const original = originalOf(line)
    if (original !== null) originals.set(originalName(event.customerId, original.seq), original.key)
    late.get(periodKey(event))?.push(place)
  }

  function end(line: Line): void {
    for (const [name, count] of Object.entries(counts))
      if (countIn(line, name) !== count) throw new Error(`there were ${countIn(line, name)} ${name}, and here are ${count}`)
    isEnded = true
  }
}

function addTo<K>(map: Map<K, Place[]>, key: K, place: Place): void {
  const places = map.get(key)
  if (places === undefined) map.set(key, [place])
  else places.push(place)
}

function noExport(name: string): CommandError {
  return new CommandError(`${name} is no export: give what farebox export --database wrote, in its own format`)
}
