/** The log alone, for other programs: as CSV, and as CloudEvents. */

import { formatQuantity } from '@farebox/core'
import { formatDecimal, formatInstant, type LoggedEvent, MAX_PAGE, type Store } from '@farebox/core/contracts'
import { originalsOf } from '../move/corrections.ts'
import { pagesOf } from '../move/listing.ts'

/** Gives the line of an event; `original` is the key of the event that it corrects. */
type LineOf = (event: LoggedEvent, original: string | undefined) => string

export function csvLines(store: Store): AsyncGenerator<string> {
  return lines(store, csvLine, COLUMNS.join(','))
}

/** One event in each line, as the ingest route takes them. */
export function cloudEventLines(store: Store): AsyncGenerator<string> {
  return lines(store, cloudEventLine)
}

async function* lines(store: Store, lineOf: LineOf, heading?: string): AsyncGenerator<string> {
  if (heading !== undefined) yield heading
  for await (const page of pagesOf((request) => store.log(request), MAX_PAGE)) {
    const originals = await originalsOf(store, page)
    for (const event of page) yield lineOf(event, originals.get(event))
  }
}

const COLUMNS = [
  'customer',
  'seq',
  'feature',
  'quantity',
  'timestamp',
  'period_start',
  'key',
  'route',
  'properties',
  'unit',
  'cost',
  'uncovered',
  'model',
  'input_tokens',
  'output_tokens',
  'corrects',
]

function csvLine(event: LoggedEvent, original: string | undefined): string {
  const { customerId, seq, feature, quantity, at, periodStart, key, route, properties, charge } = event
  const tokensOf = (isOutput: boolean): string => {
    if (charge?.model === undefined) return ''
    const classes = charge.model.classes.filter(({ name }) => (name === 'output') === isOutput)
    return String(classes.reduce((sum, { tokens }) => sum + tokens, 0))
  }
  return [
    text(customerId),
    String(seq),
    feature,
    formatQuantity(quantity),
    formatInstant(at),
    formatInstant(periodStart),
    text(key),
    text(route ?? ''),
    text(properties === null ? '' : JSON.stringify(properties)),
    charge?.unit ?? '',
    charge === undefined ? '' : formatDecimal(charge.cost),
    charge === undefined ? '' : formatDecimal(charge.uncovered),
    text(charge?.model?.model ?? ''),
    tokensOf(false),
    tokensOf(true),
    text(original ?? ''),
  ].join(',')
}

/** A spreadsheet would run what begins with these; an apostrophe before it makes it text. */
const RUN_BY_SPREADSHEETS = /^[=+\-@\t\r]/

function text(value: string): string {
  const harmless = RUN_BY_SPREADSHEETS.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless
}

function cloudEventLine(event: LoggedEvent, original: string | undefined): string {
  const { customerId, feature, quantity, at, key, properties } = event
  return JSON.stringify({
    specversion: '1.0',
    id: key,
    source: 'farebox',
    type: feature,
    subject: customerId,
    time: formatInstant(at),
    datacontenttype: 'application/json',
    data: { value: formatQuantity(quantity), ...properties, ...(original === undefined ? {} : { corrects: original }) },
  })
}
