/** `npm start`: the API with a customer on the Team plan, until it is stopped. */

import { start } from './application.ts'

const { url, key, stop } = await start(Number(process.env['PORT'] ?? 3000))
console.log(`
The API is running on ${url} (Ctrl+C stops it). Call it as a customer on the Team plan:

  curl -i -H 'x-api-key: ${key}' ${url}/weather/Lisbon
  curl -i -H 'x-api-key: ${key}' '${url}/weather/Lisbon/forecast?days=3'
  curl -H 'x-api-key: ${key}' ${url}/billing/usage
  curl -H 'x-api-key: ${key}' ${url}/billing/invoices/preview
`)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stop())
