/** API keys: what one looks like, how it is stored, how a presented one is checked. */

import { createHash, timingSafeEqual } from 'node:crypto'
import { crc32 } from 'node:zlib'
import type { ApiKeyRecord } from '../account/account-state.ts'
import { randomSecret } from '../values/id.ts'

/** The parts of a presented key. */
export interface PresentedKey {
  /** Public: the row is found by it. */
  readonly id: string
  readonly secret: string
}

const ID_BYTES = 8
/** 256 bits: a plain SHA-256 is enough to store it, since nobody can try them out. */
const SECRET_BYTES = 32

/** Linear by its fixed lengths: nothing in it can repeat. */
const FORMAT = /^fb_([0-9a-f]{16})_([0-9a-f]{64})_([0-9a-f]{8})$/

/** A new key, `fb_<id>_<secret>_<checksum>`. The text is shown once and never stored. */
export function newApiKey(): { readonly id: string; readonly text: string; readonly secretHash: string } {
  const id = randomSecret(ID_BYTES)
  const secret = randomSecret(SECRET_BYTES)
  return { id, text: `fb_${id}_${secret}_${checksum(id, secret)}`, secretHash: hash(secret) }
}

/** The parts of a key, or null when it cannot be one: a typing error is found by its checksum, without asking the store. */
export function parseApiKey(text: string): PresentedKey | null {
  const [, id, secret, given] = FORMAT.exec(text) ?? []
  if (id === undefined || secret === undefined || given !== checksum(id, secret)) return null
  return { id, secret }
}

/** Whether a presented key is the stored one and was not revoked. Takes the same time whatever differs. */
export function isApiKeyValid(presented: PresentedKey, stored: ApiKeyRecord): boolean {
  const isSame = timingSafeEqual(Buffer.from(hash(presented.secret), 'hex'), Buffer.from(stored.secretHash, 'hex'))
  return isSame && stored.revokedAt === null
}

function hash(secret: string): string {
  return createHash('sha256').update(secret).digest('hex')
}

function checksum(id: string, secret: string): string {
  return crc32(`${id}_${secret}`).toString(16).padStart(8, '0')
}
