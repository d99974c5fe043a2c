/** Disks that are full when a proof wants it: a limit on the size of files, or a small file system of its own. */

import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { onTestFinished } from 'vitest'

/** Room that is left when the disk becomes full: a few commits. */
const ROOM_BYTES = 48 * 1024

export interface Disk {
  readonly folder: string
  /** Leaves room for a few commits of the process and no more. */
  fill(pid: number): void
  /** Makes room again. */
  free(pid: number): void
}

/** `prlimit --fsize` on the running process: SQLite meets `SQLITE_IOERR_WRITE`. Null where there is no prlimit. */
export function sizeLimit(folder: string): Disk | null {
  if (!isDone('prlimit', ['--version'])) return null
  return {
    folder,
    fill: (pid) =>
      must('prlimit', [`--pid=${pid}`, `--fsize=${statSync(path.join(folder, 'farebox.db-wal')).size + ROOM_BYTES}:`]),
    free: (pid) => must('prlimit', [`--pid=${pid}`, '--fsize=unlimited:']),
  }
}

/** A tmpfs of 4 MiB that other files fill up: SQLite meets `SQLITE_FULL`. Null where it cannot be mounted. */
export function smallFileSystem(parent: string): Disk | null {
  const folder = path.join(parent, 'small')
  mkdirSync(folder)
  if (process.platform !== 'linux' || !isDone('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', folder])) return null
  onTestFinished(() => must('umount', ['-l', folder]))
  const ballast = path.join(folder, 'ballast')
  return {
    folder,
    fill() {
      try {
        for (let i = 0; ; i += 1) writeFileSync(`${ballast}-${i}`, Buffer.alloc(16 * 1024))
      } catch {
        // Full. One of the ballast files goes, so that a few commits fit.
        for (let i = 0; i < ROOM_BYTES / (16 * 1024); i += 1) rmSync(`${ballast}-${i}`)
      }
    },
    free() {
      for (let i = 0; i < 256; i += 1) rmSync(`${ballast}-${i}`, { force: true })
    },
  }
}

function isDone(command: string, args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0
}

function must(command: string, args: readonly string[]): void {
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed: ${stderr}`)
}
