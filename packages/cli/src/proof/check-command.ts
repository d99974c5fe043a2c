/** `farebox check-proof`: whether an event is on an invoice, with nothing but the invoice and the proof. */

import { readFileSync } from 'node:fs'
import { type EventProofCheck, verifyEventProof } from '@farebox/core'
import { CommandError, codeOf } from '../command-error.ts'

type Members = Readonly<Record<string, unknown>>

/** Rejects with a `CommandError` when the proof does not lead to the seal of the invoice. */
export function checkProofCommand(invoiceFile: string, proofFile: string): void {
  const invoice = readJson(invoiceFile, 'an invoice')
  const proof = readJson(proofFile, 'a proof')
  const { number, seal } = invoice
  const name = typeof number === 'string' ? number : invoiceFile
  if (typeof seal !== 'object' || seal === null)
    throw new CommandError(
      `${invoiceFile} has no seal: give the JSON of a final invoice with usage, as farebox invoices --json writes it`,
    )
  if (!('event' in proof) || !('proof' in proof))
    throw new CommandError(`${proofFile} is no proof: give what farebox proof printed`)
  // The seal of the invoice that was kept, and not the one that came with the proof.
  const check = { event: proof['event'], proof: proof['proof'], seal } as EventProofCheck
  if (!verifyEventProof(check))
    throw new CommandError(
      `The event is NOT under the seal of ${name}: one of the two files is of something else, or was changed`,
    )
  const { customer, feature, quantity, timestamp, key } = check.event
  console.log(
    `ok: on ${name} are ${quantity} ${feature} of ${customer} at ${timestamp} (key ${key}), one of ${check.seal.events} events`,
  )
}

function readJson(file: string, what: string): Members {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
    throw new CommandError(`There is no file ${file}: give the path of the JSON of ${what}`)
  }
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null) return value as Members
  } catch {
    // Said below.
  }
  throw new CommandError(`${file} holds no JSON object: give the JSON of ${what}`)
}
