/** `npm start`: the API with a customer on the Pro plan, until it is stopped. */

import { start } from './server.ts'

const { url, key, stop } = await start(Number(process.env['PORT'] ?? 3000))
console.log(`
The API is running on ${url} (Ctrl+C stops it). Call it as a customer on the Pro plan:

  curl -i -H 'x-api-key: ${key}' '${url}/v1/ibans/GB29%20NWBK%206016%201331%209268%2019'
  curl -s -H 'x-api-key: ${key}' ${url}/billing/invoices/preview
`)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stop())
