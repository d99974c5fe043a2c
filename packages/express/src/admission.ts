/** One request at its gate: the gate is asked once and its answer acted on. The response settles by itself when it closes. */

import { enter, type Gate, type Passage, passageOf, type Reply } from '@farebox/core/http'
import type { NextFunction, Request, Response } from 'express'

/** Asks the gate and goes on as it says. */
export function admit(gate: Gate<Request>, req: Request, res: Response, next: NextFunction): void {
  const route = req.baseUrl + String(req.route.path)
  const request = { method: req.method, route, header, raw: req }
  enter(gate, request, res).then((verdict) => proceed(passageOf(verdict, res), req, res, next), next)
}

/** A method, so that no request makes a function. */
function header(this: { readonly raw: Request }, name: string): string | undefined {
  return this.raw.get(name)
}

function proceed(passage: Passage, req: Request, res: Response, next: NextFunction): void {
  if (passage.kind === 'refused') return refuse(passage.reply, res)
  if (passage.kind === 'gone') return
  for (const [name, value] of passage.headers) res.setHeader(name, value)
  if (passage.meter !== undefined) req.meter = passage.meter
  next()
}

/** Sent, not thrown, so that an application's error handler cannot make a 500 of it. Node leaves out the body for HEAD. */
function refuse(reply: Reply, res: Response): void {
  if (res.headersSent) return void res.end()
  res.statusCode = reply.status
  for (const [name, value] of reply.headers) res.setHeader(name, value)
  res.end(reply.body)
}
