/** Ctrl+C and SIGTERM, as a signal that a long command looks at. */

/** What a command ends with that a signal stopped: 128 and the number of SIGINT, as shells have it. */
export const STOPPED_STATUS = 130

/** The first signal stops the command cleanly; a second one has its usual effect. */
export function stopSignal(): { signal: AbortSignal; release: () => void } {
  const controller = new AbortController()
  const release = (): void => {
    process.off('SIGINT', stop)
    process.off('SIGTERM', stop)
  }
  const stop = (): void => {
    release()
    controller.abort()
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  return { signal: controller.signal, release }
}
