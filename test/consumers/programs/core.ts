/** A web-standard handler without a framework, with an allowance of one call. */

import { createFarebox, defineCatalog } from '@farebox/core'
import { meterFetch } from '@farebox/core/http'
import { sqlite } from '@farebox/core/sqlite'

const catalog = defineCatalog({
  currency: 'USD',
  features: { calls: { type: 'metered', default: true } },
  plans: { free: { price: '0', interval: 'month', default: true, features: { calls: { included: 1 } } } },
})
const farebox = createFarebox({ catalog, store: sqlite({ path: ':memory:' }) })

const hello = meterFetch((request: Request) => Response.json({ hello: new URL(request.url).pathname }), {
  route: '/hello/[name]',
  identify: (request) => request.headers.get('x-user'),
})

async function main() {
  const call = () => hello(new Request('https://api.example.com/hello/ada', { headers: { 'x-user': 'ada' } }))
  console.log((await call()).status, (await call()).status)
  await farebox.stop()
}

void main()
