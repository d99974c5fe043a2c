/** An adapter of a few lines, held to the first check of the suite. */

import type { AddressInfo } from 'node:net'
import { adapterSuite, CHECKS, type Listen } from '@farebox/conformance'
import { meter } from '@farebox/express'
import express from 'express'

const listen: Listen = async ({ farebox, routes }) => {
  const app = express()
  app.use(meter({ farebox, identify: (req) => req.get('x-customer') ?? null }))
  const plain = routes.find(({ path }) => path[0] === 'plain')
  app.get('/plain/:id', (req, res, next) => {
    const header = (name: string) => req.get(name)
    const context = { header, method: 'GET', params: req.params, body: undefined, meter: req.meter }
    Promise.resolve(plain?.handler(context)).then((result) => {
      if (result?.kind === 'answer') res.writeHead(result.status, result.headers).end(result.body)
    }, next)
  })
  const server = app.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, close: () => new Promise((resolve) => server.close(() => resolve())) }
}

const [, ...others] = CHECKS
adapterSuite({ name: 'A few lines', listen, skip: Object.fromEntries(others.map(({ id }) => [id, 'one is enough here'])) })
