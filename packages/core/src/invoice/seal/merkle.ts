/** A Merkle tree as in RFC 6962 (section 2.1), built leaf by leaf with memory for its height alone. */

import { hash } from 'node:crypto'

/** 32 bytes, one character each (latin1): Node hashes into such a text in less than half of the time that a Buffer takes. */
export type Digest = string

export interface MerkleTree {
  /** How many leaves there are. */
  size(): number
  /** The next leaf. Of the one that is sought, the tree keeps the way to the root. */
  add(leaf: Digest, isSought?: boolean): void
  /** Null without a leaf. */
  root(): Digest | null
  /** The sibling of each node on the way from the sought leaf to the root; null where none was sought. */
  path(): Digest[] | null
}

export interface PathCheck {
  readonly leaf: Digest
  /** Place of the leaf, from 0. */
  readonly index: number
  /** Leaves of the tree. */
  readonly size: number
  readonly path: readonly Digest[]
}

/** Both kinds of node begin with a byte of their own, so that no leaf can pass for a node. UTF-8 of U+0000 is the byte 0. */
const LEAF = '\u0000'
const NODE = 1

const DIGEST_BYTES = 32

export function createMerkleTree(): MerkleTree {
  // Roots of the complete subtrees so far, largest first. Their sizes are the bits of the number of leaves.
  const subtrees: Digest[] = []
  const path: Digest[] = []
  let count = 0
  /** The subtree that holds the sought leaf, by its place. */
  let soughtIn = -1
  return { size: () => count, add, root: () => folded([]), path: wholePath }

  function add(leaf: Digest, isSought = false): void {
    if (isSought) soughtIn = subtrees.length
    let right = leaf
    // The new leaf completes one subtree for each bit that the count carries over.
    for (let carry = count; carry % 2 === 1; carry >>>= 1) {
      const left = subtrees.pop() ?? ''
      const place = subtrees.length
      if (soughtIn === place) path.push(right)
      if (soughtIn === place + 1) path.push(left)
      if (soughtIn > place) soughtIn = place
      right = nodeDigest(left, right)
    }
    subtrees.push(right)
    count += 1
  }

  function wholePath(): Digest[] | null {
    if (soughtIn === -1) return null
    const rest: Digest[] = []
    folded(rest)
    return [...path, ...rest]
  }

  /** Joins the subtrees from the smallest on, and gives `rest` what the sought one is joined with on the way. */
  function folded(rest: Digest[]): Digest | null {
    let right: Digest | null = null
    for (const [place, left] of [...subtrees.entries()].toReversed()) {
      if (right !== null && soughtIn === place) rest.push(right)
      if (right !== null && soughtIn > place) rest.push(left)
      right = right === null ? left : nodeDigest(left, right)
    }
    return right
  }
}

/** The root that a leaf and its path lead to; null where such a tree has no such place (RFC 9162, section 2.1.3.2). */
export function rootOf({ leaf, index, size, path }: PathCheck): Digest | null {
  let place = index
  let last = size - 1
  let digest = leaf
  for (const sibling of path) {
    if (last === 0) return null
    if (place % 2 === 1 || place === last) {
      digest = nodeDigest(sibling, digest)
      // The last node of a level goes up as it is where it has no partner.
      while (place % 2 === 0 && place !== 0) {
        place >>>= 1
        last >>>= 1
      }
    } else digest = nodeDigest(digest, sibling)
    place >>>= 1
    last >>>= 1
  }
  return last === 0 ? digest : null
}

export function leafDigest(text: string): Digest {
  return hash('sha256', LEAF + text, 'binary')
}

/** Filled anew for each node; nothing keeps it. */
const node = Buffer.alloc(1 + 2 * DIGEST_BYTES, NODE)

function nodeDigest(left: Digest, right: Digest): Digest {
  node.write(left, 1, DIGEST_BYTES, 'latin1')
  node.write(right, 1 + DIGEST_BYTES, DIGEST_BYTES, 'latin1')
  return hash('sha256', node, 'binary')
}

export function digestToHex(digest: Digest): string {
  return Buffer.from(digest, 'latin1').toString('hex')
}

/** Null for what is no lower-case hex of 32 bytes. */
export function digestFromHex(hex: unknown): Digest | null {
  return typeof hex === 'string' && /^[0-9a-f]{64}$/.test(hex) ? Buffer.from(hex, 'hex').toString('latin1') : null
}
