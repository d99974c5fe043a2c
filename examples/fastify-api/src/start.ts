/** `npm start`: the API with a customer on the Business plan, until it is stopped. */

import { CUSTOMER, start } from './server.ts'

const { url, stop } = await start(Number(process.env['PORT'] ?? 3000))
console.log(`
The API is running on ${url} (Ctrl+C stops it). Make a link, and follow it:

  curl -X PUT -H 'x-customer: ${CUSTOMER}' -H 'content-type: application/json' -d '{"target":"https://example.com"}' ${url}/links/hello
  curl -i ${url}/hello
`)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stop())
