/** Shows how far a long task is: a bar on a terminal, a line every tenth otherwise. */

import { progress } from '@clack/prompts'

export interface Progress {
  /** Shows that `done` of all steps are done. */
  advance(done: number): void
  stop(message: string): void
}

export interface ProgressOptions {
  readonly title: string
  readonly steps: number
  readonly output: NodeJS.WriteStream
}

/** A bar is drawn at most this often over its length. */
const BAR_STEPS = 200
const LINE_STEPS = 10

export function startProgress(options: ProgressOptions): Progress {
  return options.output.isTTY ? bar(options) : lines(options)
}

function bar({ title, steps, output }: ProgressOptions): Progress {
  const shown = progress({
    style: 'heavy',
    max: BAR_STEPS,
    size: 40,
    output,
    cancelMessage: 'Stopping: what is on its way is finished',
  })
  shown.start(title)
  // It reads the keys itself, and would end the process at Ctrl+C before what was sent is noted. Now the terminal sends a signal.
  if (process.stdin.isTTY) process.stdin.setRawMode(false)
  return {
    advance: inSteps(steps, BAR_STEPS, (part, done) => shown.advance(part, `${title}: ${count(done)} of ${count(steps)}`)),
    stop: (message) => shown.stop(message),
  }
}

function lines({ title, steps, output }: ProgressOptions): Progress {
  output.write(`${title}\n`)
  return {
    advance: inSteps(steps, LINE_STEPS, (_part, done) =>
      output.write(`  ${Math.round((done / steps) * 100)} %  ${count(done)} of ${count(steps)}\n`),
    ),
    stop: (message) => output.write(`${message}\n`),
  }
}

/** Calls `show` whenever another of `parts` equal parts of all steps is full, with how many became full at once. */
function inSteps(steps: number, parts: number, show: (newParts: number, done: number) => void): (done: number) => void {
  let full = 0
  return (done) => {
    const now = Math.floor((done * parts) / steps)
    if (now > full) show(now - full, done)
    full = Math.max(full, now)
  }
}

/** `10000` as `10,000`. */
export function count(value: number): string {
  return value.toLocaleString('en-US')
}
