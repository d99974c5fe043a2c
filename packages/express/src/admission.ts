/** One request at its gate: the gate is asked once, the answer is acted on, and the end of the response settles it. */

import type { Gate, Outcome, Reply, Ticket, Verdict } from '@farebox/core/http'
import type { NextFunction, Request, Response } from 'express'

const VISIT: unique symbol = Symbol.for('farebox.express.visit')

/** A request with the gate that counts it. The ticket is there while a reservation waits to be settled. */
type VisitingRequest = Request & { [VISIT]?: { readonly gate: Gate<Request>; ticket: Ticket | undefined } }

/** Asks the gate and goes on as it says. A request that has been at a gate before is not counted again. */
export function admit(gate: Gate<Request>, req: VisitingRequest, res: Response, next: NextFunction): void {
  if (req[VISIT] !== undefined) return next()
  req[VISIT] = { gate, ticket: undefined }
  // Before the first await, so that no end of the response is missed.
  res.on('close', settleOnClose)
  const route = req.baseUrl + String(req.route.path)
  const request = { method: req.method, path: req.baseUrl + req.path, route, header: (name: string) => req.get(name), raw: req }
  gate.admit(request).then((verdict) => proceed(verdict, req, res, next), next)
}

function proceed(verdict: Verdict, req: VisitingRequest, res: Response, next: NextFunction): void {
  if (verdict.kind === 'refused') return refuse(verdict.reply, res)
  if (verdict.kind === 'unmetered') return next()
  if (req[VISIT]) req[VISIT].ticket = verdict.ticket
  if (res.destroyed || req.socket.destroyed) {
    // A client that left without an answer is not worked for. Earlier middleware may have answered and gone on.
    settle(req, res.writableEnded ? outcomeOf(res) : { kind: 'not_started' })
    if (!res.writableEnded) return
  }
  req.meter = verdict.ticket.meter
  if (!res.headersSent) for (const [name, value] of verdict.headers) res.setHeader(name, value)
  next()
}

/** Sent, not thrown, so that an application's error handler cannot make a 500 of it. Node leaves out the body for HEAD. */
function refuse(reply: Reply, res: Response): void {
  if (res.headersSent) return void res.end()
  res.statusCode = reply.status
  for (const [name, value] of reply.headers) res.setHeader(name, value)
  res.end(reply.body)
}

/** One listener for all responses, on the only event that every end of a response leads to. */
function settleOnClose(this: Response): void {
  settle(this.req, outcomeOf(this))
}

function settle(req: VisitingRequest, outcome: Outcome): void {
  const visit = req[VISIT]
  if (visit?.ticket) void visit.gate.settle(visit.ticket, outcome, req)
  if (visit) visit.ticket = undefined
}

/** `writableFinished` would be wrong on HTTP/2, and a status means nothing before the headers are sent. */
function outcomeOf(res: Response & { stream?: { aborted?: boolean } }): Outcome {
  if (res.writableEnded && !res.stream?.aborted) return { kind: 'finished', status: res.statusCode }
  return { kind: 'aborted', status: res.headersSent ? res.statusCode : null }
}
