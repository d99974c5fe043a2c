/** What kind of file system a file is on, and how much room it has. */

import { statfsSync } from 'node:fs'
import path from 'node:path'

export interface FileSystem {
  /** Its usual name, or its number in hexadecimal where it is not a known one. */
  readonly name: string
  readonly freeBytes: number
  /** Why a database must not be there; null where it may. */
  readonly problem: string | null
}

/** Magic numbers of Linux, from statfs(2). */
const NAMES: Readonly<Record<number, string>> = {
  0xef53: 'ext4',
  0x58465342: 'xfs',
  0x9123683e: 'btrfs',
  0x2fc12fc1: 'zfs',
  0x794c7630: 'overlay',
  0x01021994: 'tmpfs',
  0x858458f6: 'ramfs',
  0x6969: 'nfs',
  0xff534d42: 'cifs',
  0xfe534d42: 'smb2',
  0x01021997: '9p',
  0x65735546: 'fuse',
}

const NETWORK = new Set(['nfs', 'cifs', 'smb2', '9p'])
const MEMORY = new Set(['tmpfs', 'ramfs'])

export function fileSystemOf(file: string): FileSystem {
  const { type, bavail, bsize } = statfsSync(path.dirname(path.resolve(file)))
  const name = NAMES[type >>> 0] ?? `0x${(type >>> 0).toString(16)}`
  return { name, freeBytes: bavail * bsize, problem: problemOf(name) }
}

function problemOf(name: string): string | null {
  if (NETWORK.has(name))
    return 'a network file system does not keep locks and memory maps as WAL needs them: move the file to a local disk'
  if (MEMORY.has(name)) return 'it is memory, and everything is gone with the power: move the file to a disk'
  return null
}
