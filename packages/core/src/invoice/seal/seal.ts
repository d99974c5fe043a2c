/** The seal of an invoice: its events under one hash, and the proof that one of them is there. */

import type { InvoiceSeal } from '../../records/invoice.ts'
import type { UsageEvent } from '../../records/usage-event.ts'
import { leafText, sealedEvent, type SealedEvent } from './leaf.ts'
import { createMerkleTree, type Digest, digestFromHex, digestToHex, leafDigest, rootOf } from './merkle.ts'

export interface Seal {
  /** The next event of the invoice. */
  add(event: UsageEvent): void
  /** Null where there are no events. */
  root(): InvoiceSeal | null
}

export interface Proving {
  /** The next event of the invoice, in the order in which it was sealed. */
  add(event: UsageEvent): void
  /** Null where the sought event is not among them. */
  proof(): EventProof | null
}

/** Where an event is in the tree, and what it is joined with on the way to the root. */
export interface EventProof {
  /** Place among the events of the invoice, from 0. */
  readonly index: number
  /** From the event to the root; lower-case hex of SHA-256. */
  readonly path: readonly string[]
}

export interface EventProofCheck {
  /** As it is printed; members that are not sealed may be there too. */
  readonly event: SealedEvent
  readonly proof: EventProof
  /** That of the invoice. */
  readonly seal: InvoiceSeal
}

/** So many leaves can be counted in 32 bits. */
const MAX_EVENTS = 2 ** 32 - 1

/** Costs two hashes per event, and memory for the height of the tree. The same events in another order have another root. */
export function createSeal(): Seal {
  const tree = createMerkleTree()
  return {
    add(event) {
      tree.add(digestOf(sealedEvent(event)))
    },
    root() {
      const root = tree.root()
      return root === null ? null : { root: digestToHex(root), events: tree.size() }
    },
  }
}

/** Proves that the event with this `seq` is among those that it is given. */
export function createProving(seq: number): Proving {
  const tree = createMerkleTree()
  let index = -1
  return {
    add(event) {
      const isSought = event.seq === seq
      if (isSought) index = tree.size()
      tree.add(digestOf(sealedEvent(event)), isSought)
    },
    proof() {
      const path = tree.path()
      return path === null ? null : { index, path: path.map(digestToHex) }
    },
  }
}

/**
 * Whether the event is under the seal, as the proof says. Needs the three and nothing else, and never throws: what is malformed
 * proves nothing.
 */
export function verifyEventProof({ event, proof, seal }: EventProofCheck): boolean {
  try {
    const { index, path } = proof
    const { root, events } = seal
    if (!isCount(events) || !isCount(index) || index >= events || !Array.isArray(path)) return false
    const siblings = path.map(digestFromHex)
    if (!siblings.every((sibling) => sibling !== null)) return false
    const reached = rootOf({ leaf: digestOf(event), index, size: events, path: siblings })
    return reached !== null && digestToHex(reached) === root
  } catch {
    return false
  }
}

function digestOf(event: SealedEvent): Digest {
  return leafDigest(leafText(event))
}

function isCount(value: unknown): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MAX_EVENTS
}
