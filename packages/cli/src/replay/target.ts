/** The application that a log is replayed against, as its module gives it. */

import type { IncomingMessage, RequestListener } from 'node:http'
import path from 'node:path'
import type { Catalog, Clock, Farebox, PlanCode } from '@farebox/core'
import { CommandError } from '../command-error.ts'
import { importModule } from '../modules.ts'

/**
 * The default export of a module given with `--app`.
 *
 * @example
 * const target: ReplayTarget = { catalog, createApp, planFor: ({ lines }) => (lines >= 100 ? 'pro' : 'free') }
 * export default target
 */
export interface ReplayTarget {
  readonly catalog: Catalog
  /**
   * Makes the metered application: an Express app or any other listener. Nothing in it may wait before the meter has
   * seen the request, because the clock stands at the time of one line only until the next request begins.
   */
  createApp(context: ReplayContext): RequestListener
  /** The plan of a client, subscribed to it on the first of the month in which the log begins. */
  planFor(client: { readonly id: string; readonly lines: number }): PlanCode
  /** As in `createFarebox`. */
  readonly upgradeUrl?: string
}

/** What the application is made with. */
export interface ReplayContext {
  readonly farebox: Farebox
  /** Stands at the time of the line that is being sent. */
  readonly clock: Clock
  /** Gives the client of the line: for `meter({ identify })`, in the place of API keys. */
  identify(request: IncomingMessage): string | undefined
  /** Only here may the application honour the replay's headers. */
  readonly mode: 'replay'
}

/** Loads a module, its path taken from the working directory. Rejects with one sentence when it is no application to replay against. */
export async function loadTarget(file: string): Promise<ReplayTarget> {
  const { default: target } = await importModule(path.resolve(file), {
    file,
    fix: "give --app the path of the application's module",
  })
  if (!isTarget(target)) {
    throw new CommandError(
      `${file} must export { catalog, createApp, planFor } as its default: see examples/express-api/src/target.ts`,
    )
  }
  return target
}

function isTarget(value: unknown): value is ReplayTarget {
  if (typeof value !== 'object' || value === null) return false
  const hasCatalog = 'catalog' in value && typeof value.catalog === 'object' && value.catalog !== null
  return (
    hasCatalog &&
    'createApp' in value &&
    typeof value.createApp === 'function' &&
    'planFor' in value &&
    typeof value.planFor === 'function'
  )
}
