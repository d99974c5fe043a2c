import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { leafText, sealedEvent } from '../../src/invoice/seal/leaf.ts'
import { createMerkleTree, digestToHex, leafDigest } from '../../src/invoice/seal/merkle.ts'
import { createProving, createSeal, type EventProofCheck, verifyEventProof } from '../../src/invoice/seal/seal.ts'
import type { Charge } from '../../src/records/charge.ts'
import type { UsageEvent } from '../../src/records/usage-event.ts'
import { decimal, DECIMAL_ZERO } from '../../src/values/decimal.ts'
import { parseQuantity } from '../../src/values/quantity.ts'

const PAGE = readFileSync(path.join(import.meta.dirname, '../../../../docs/seal.md'), 'utf8')

const charge: Charge = {
  unit: 'USD',
  cost: decimal('0.0042'),
  parts: [{ grant: 'plan-1', amount: decimal('0.004') }],
  uncovered: decimal('0.0002'),
  waived: DECIMAL_ZERO,
  model: {
    margin: '20',
    catalog: 'prices 0.1.8',
    provider: 'openai',
    model: 'gpt-4o',
    classes: [{ name: 'input', tokens: 1000, perMillion: decimal('2.5') }],
    providerCost: decimal('0.0035'),
    isIncomplete: true,
  },
}

/** Those of docs/seal.md. */
const EVENTS: readonly UsageEvent[] = [
  event(1, { properties: { region: 'eu', pages: 3, draft: false, city: 'Łódź "1"' } }),
  event(2, { quantity: parseQuantity('2.318102'), route: null }),
  event(3, { quantity: -parseQuantity('1'), corrects: 1, charge }),
]

function event(seq: number, members: Partial<UsageEvent> = {}): UsageEvent {
  return {
    seq,
    customerId: 'user_123',
    feature: 'documents',
    quantity: parseQuantity(1),
    at: Date.UTC(2026, 0, 1, 10, 0, 0, seq),
    key: `key-${seq}`,
    route: '/v1/documents/:id',
    properties: null,
    ...members,
  }
}

function sealOf(events: readonly UsageEvent[]): ReturnType<ReturnType<typeof createSeal>['root']> {
  const seal = createSeal()
  for (const one of events) seal.add(one)
  return seal.root()
}

/** The answer that a customer gets for one of the events. */
function answerFor(events: readonly UsageEvent[], seq: number): EventProofCheck {
  const proving = createProving(seq)
  for (const one of events) proving.add(one)
  const [seal, proof, sought] = [sealOf(events), proving.proof(), events.find((one) => one.seq === seq)]
  if (seal === null || proof === null || sought === undefined) throw new Error(`There is no event ${seq}`)
  // As it comes over the wire.
  return JSON.parse(JSON.stringify({ event: sealedEvent(sought), proof, seal })) as EventProofCheck
}

/** RFC 6962 section 2.1 as it is written there, over bytes. */
function rootAsWritten(leaves: readonly Buffer[]): Buffer {
  if (leaves.length === 1) return sha256(Buffer.from([0]), leaves[0] ?? Buffer.of())
  const split = splitOf(leaves.length)
  return sha256(Buffer.from([1]), rootAsWritten(leaves.slice(0, split)), rootAsWritten(leaves.slice(split)))
}

function pathAsWritten(leaves: readonly Buffer[], index: number): Buffer[] {
  if (leaves.length === 1) return []
  const split = splitOf(leaves.length)
  const [left, right] = [leaves.slice(0, split), leaves.slice(split)]
  return index < split
    ? [...pathAsWritten(left, index), rootAsWritten(right)]
    : [...pathAsWritten(right, index - split), rootAsWritten(left)]
}

/** The largest power of two below n. */
function splitOf(n: number): number {
  return 2 ** Math.floor(Math.log2(n - 1))
}

function sha256(...parts: readonly Buffer[]): Buffer {
  return createHash('sha256').update(Buffer.concat(parts)).digest()
}

describe('the tree', () => {
  test('has the roots of the test data of Certificate Transparency (google/certificate-transparency-go, merkle tree tests)', () => {
    const leaves = ['', '\u0000', '\u0010', ' !', '01', '@ABC', 'PQRSTUVW', '`abcdefghijklmno']
    const tree = createMerkleTree()
    const roots = leaves.map((leaf) => {
      tree.add(leafDigest(leaf))
      return digestToHex(tree.root() ?? '')
    })
    expect(roots).toEqual([
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
      'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
      'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
      '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
      '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
      'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
      '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
    ])
  })

  test('is the one of the RFC, root and path, at every size up to 35 and every place', () => {
    const texts = Array.from({ length: 35 }, (_, index) => `leaf ${index} ß`)
    const bytes = texts.map((text) => Buffer.from(text))
    for (let size = 1; size <= texts.length; size += 1) {
      const root = rootAsWritten(bytes.slice(0, size)).toString('hex')
      for (let index = 0; index < size; index += 1) {
        const tree = createMerkleTree()
        for (const [place, text] of texts.slice(0, size).entries()) tree.add(leafDigest(text), place === index)
        expect(digestToHex(tree.root() ?? '')).toBe(root)
        expect(tree.path()?.map(digestToHex)).toEqual(
          pathAsWritten(bytes.slice(0, size), index).map((one) => one.toString('hex')),
        )
      }
    }
  })

  test('of nothing has no root, and no path to what it does not hold', () => {
    expect([createMerkleTree().root(), createMerkleTree().path()]).toEqual([null, null])
    expect(sealOf([])).toBeNull()
    expect(createProving(5).proof()).toBeNull()
  })
})

describe('the text of an event', () => {
  test('is the documented one, and so is the seal: neither ever changes', () => {
    const texts = EVENTS.map((one) => leafText(sealedEvent(one)))
    for (const text of texts) expect(PAGE).toContain(`${text}\n`)
    const answer: unknown = JSON.parse(/^```json\n([\s\S]*?)^```$/m.exec(PAGE)?.[1] ?? '')
    expect(answer).toEqual(answerFor(EVENTS, 2))
  })

  test('is the same whatever order the members come in, and says nothing of others', () => {
    for (const one of EVENTS) {
      const sealed = sealedEvent(one)
      const turned = JSON.parse(JSON.stringify(turn(sealed))) as typeof sealed
      expect(Object.keys(turned)[0]).not.toBe('customer')
      expect(leafText(turned)).toBe(leafText(sealed))
      expect(leafText({ ...sealed, billed: true } as typeof sealed)).toBe(leafText(sealed))
    }
  })

  /** The same object with its members the other way round, all the way down. */
  function turn(value: unknown): unknown {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
    return Object.fromEntries(
      Object.entries(value)
        .toReversed()
        .map(([name, member]) => [name, turn(member)]),
    )
  }
})

test('the seal says nothing of places in the log, which each store gives for itself', () => {
  const elsewhere = EVENTS.map(({ corrects, ...one }) => ({
    ...one,
    seq: one.seq + 1_000,
    ...(corrects === undefined ? {} : { corrects: corrects + 1_000 }),
  }))
  expect(sealOf(elsewhere)).toEqual(sealOf(EVENTS))
  expect(sealOf(EVENTS.toReversed())).not.toEqual(sealOf(EVENTS))
})

describe('a proof', () => {
  test('of each of the documented events holds', () => {
    for (const { seq } of EVENTS) expect(verifyEventProof(answerFor(EVENTS, seq))).toBe(true)
  })

  const events = fc.integer({ min: 1, max: 40 }).map((length) => Array.from({ length }, (_, index) => event(index + 1)))

  test('of any event of any number of events holds, in the order in which they were sealed', () => {
    fc.assert(
      fc.property(events, fc.nat(), (all, pick) => {
        const sought = (pick % all.length) + 1
        expect(verifyEventProof(answerFor(all.toReversed(), sought))).toBe(true)
        expect(answerFor(all, sought).proof.path.length <= 6).toBe(true)
      }),
    )
  })

  test('of another event, another place or another seal does not hold', () => {
    fc.assert(
      fc.property(events, fc.nat(), fc.nat({ max: 63 }), (all, pick, character) => {
        const answer = answerFor(all, (pick % all.length) + 1)
        const { event: sealed, proof, seal } = answer
        const other = (text: string): string =>
          text.slice(0, character) + (text[character] === '0' ? '1' : '0') + text.slice(character + 1)
        const tampered: EventProofCheck[] = [
          ...Object.entries({
            customer: 'user_124',
            feature: 'pages',
            quantity: '2',
            timestamp: '2026-01-01T10:00:01.000Z',
            key: 'other',
            route: null,
            properties: {},
            charge: { unit: 'credits', cost: '1', parts: [] },
          }).map(([name, value]) => ({ ...answer, event: { ...sealed, [name]: value } })),
          { ...answer, proof: { ...proof, index: proof.index + 1 } },
          { ...answer, proof: { ...proof, index: proof.index - 1 } },
          { ...answer, proof: { ...proof, path: [...proof.path, seal.root] } },
          { ...answer, seal: { ...seal, root: other(seal.root) } },
          { ...answer, seal: { ...seal, events: seal.events * 2 } },
          ...proof.path.map((_, place) => ({
            ...answer,
            proof: { ...proof, path: proof.path.map((hex, at) => (at === place ? other(hex) : hex)) },
          })),
          ...(proof.path.length === 0 ? [] : [{ ...answer, proof: { ...proof, path: proof.path.slice(1) } }]),
        ]
        expect(tampered.filter((one) => verifyEventProof(one))).toEqual([])
      }),
    )
  })

  test('that is malformed proves nothing, and breaks nothing', () => {
    const answer = answerFor(EVENTS, 2)
    const { event: sealed, proof, seal } = answer
    const malformed: unknown[] = [
      {},
      { event: null, proof, seal },
      { event: { ...sealed, properties: undefined }, proof, seal },
      { event: sealed, proof: null, seal },
      { event: sealed, proof: { index: '1', path: proof.path }, seal },
      { event: sealed, proof: { index: 1.5, path: proof.path }, seal },
      { event: sealed, proof: { index: 1, path: 'none' }, seal },
      { event: sealed, proof: { index: 1, path: proof.path.map((hex) => hex.toUpperCase()) }, seal },
      { event: sealed, proof: { index: 1, path: [1, 2] }, seal },
      { event: sealed, proof, seal: null },
      { event: sealed, proof, seal: { root: seal.root, events: 0 } },
      { event: sealed, proof, seal: { root: seal.root, events: 2 ** 32 } },
    ]
    for (const one of malformed) expect(verifyEventProof(one as EventProofCheck)).toBe(false)
    expect(verifyEventProof(answer)).toBe(true)
  })
})
