/** Writes each invoice that it is given as a document of its own, in the forms that were asked for. */

import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { type Invoice, invoiceHtml, invoiceJson, type PrintOptions } from '@farebox/core'
import type { invoicePdf } from '@farebox/pdf'
import { codeOf, CommandError, messageOf } from '../command-error.ts'

/** A folder for each form. */
export interface DocumentFolders {
  readonly html?: string
  readonly json?: string
  readonly pdf?: string
}

export type WriteDocuments = (invoice: Invoice, print: PrintOptions) => Promise<void>

/** Makes the folders. What is in them stays, but for documents of the same names. */
export async function openDocuments({ html, json, pdf }: DocumentFolders): Promise<WriteDocuments> {
  const print = pdf === undefined ? null : await loadPdf()
  for (const folder of [html, json, pdf]) if (folder !== undefined) makeFolder(folder)
  return async (invoice, options) => {
    const name = nameOf(invoice)
    if (html !== undefined) writeFileSync(path.join(html, `${name}.html`), invoiceHtml(invoice, options))
    if (json !== undefined) writeFileSync(path.join(json, `${name}.json`), `${JSON.stringify(invoiceJson(invoice), null, 2)}\n`)
    if (pdf !== undefined && print !== null) writeFileSync(path.join(pdf, `${name}.pdf`), await print(invoice, options))
  }
}

function nameOf({ number, id }: Invoice): string {
  return (number ?? id).replaceAll(/[^\w-]/g, '_')
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true })
  } catch (error) {
    throw new CommandError(`The folder ${folder} cannot be made (${messageOf(error)}): give another one`)
  }
}

/** Only who wants PDF has to have the package. */
async function loadPdf(): Promise<typeof invoicePdf> {
  try {
    return (await import('@farebox/pdf')).invoicePdf
  } catch (error) {
    if (codeOf(error) !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new CommandError('--pdf needs the package @farebox/pdf beside farebox: npm install @farebox/pdf')
  }
}
