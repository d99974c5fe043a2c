/** The Express versions that the suite runs on: the ends of both majors that the peer range allows. */

import { createRequire } from 'node:module'
import type express from 'express'

export type Express = typeof express

/** One version: `major` for the few tests whose path syntax differs. */
export interface Version {
  readonly name: string
  readonly major: number
  readonly express: Express
}

const require = createRequire(import.meta.url)

export const VERSIONS: readonly Version[] = ['express-4-oldest', 'express-4-newest', 'express-5-oldest', 'express'].map(
  (alias) => {
    const { version } = require(`${alias}/package.json`) as { version: string }
    return { name: `Express ${version}`, major: Number(version.split('.')[0]), express: require(alias) as Express }
  },
)
