/** `npm start`: the API with a customer on the Prepaid plan, until it is stopped. */

import { start } from './server.ts'

const { url, key, stop } = await start(Number(process.env['PORT'] ?? 3000))
console.log(`
The API is running on ${url} (Ctrl+C stops it). Call it as a customer on the Prepaid plan:

  curl -N -H 'x-api-key: ${key}' -H 'content-type: text/plain' -d 'What does the parrot say?' ${url}/v1/chat
  curl -s -H 'x-api-key: ${key}' ${url}/billing/usage
  curl -s -H 'x-api-key: ${key}' ${url}/billing/events
`)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stop())
