/** A small website as an API: pages count as calls, presentations and files by the megabyte. */

import type { Farebox } from '@farebox/core'
import { meter } from '@farebox/express'
import express from 'express'
import type { Express, Request } from 'express'
import { answerError, liveAnswer, recordedAnswer } from './answers.ts'

export interface AppOptions {
  readonly farebox: Farebox
  /** In a replay the answers are those that the log recorded. Live, nobody but the application decides size and status. */
  readonly mode: 'replay' | 'live'
  /** Who calls. Left out when live: then it is the owner of the API key. */
  readonly identify?: (request: Request) => string | undefined
}

/** The application, ready to listen. */
export function createApp({ farebox, mode, identify }: AppOptions): Express {
  const { answer, bytesOf } = mode === 'replay' ? recordedAnswer : liveAnswer
  const options = identify === undefined ? { farebox } : { farebox, identify }
  const megabytes = (request: Request): number => bytesOf(request) / 1_000_000
  const byTheMegabyte = meter('downloads', { ...options, units: megabytes })

  const app = express()
  app.disable('x-powered-by')
  app.use(meter(options))
  app.get('/', answer)
  app.get('/blog/tags/:tag', answer)
  app.get('/blog{/*rest}', answer)
  app.get('/articles{/*rest}', answer)
  app.get('/projects{/*rest}', answer)
  app.get('/images{/*rest}', answer)
  app.get('/presentations{/*rest}', byTheMegabyte, answer)
  app.get('/files{/*rest}', byTheMegabyte, answer)
  app.use(answerError)
  return app
}
