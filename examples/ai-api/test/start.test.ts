import { expect, onTestFinished, test } from 'vitest'
import { type StartOptions, start } from '../src/server.ts'

type Json = Record<string, unknown>

async function running(options: StartOptions = {}) {
  const { farebox, url, key, stop } = await start(0, { wordEveryMs: 0, ...options })
  onTestFinished(stop)
  const ask = (question: string, apiKey = key, signal?: AbortSignal) =>
    fetch(`${url}/v1/chat`, {
      method: 'POST',
      headers: { 'x-api-key': apiKey, 'content-type': 'text/plain' },
      body: question,
      ...(signal === undefined ? {} : { signal }),
    })
  const see = async (path: string, apiKey = key): Promise<Json> => {
    await farebox.flush()
    const response = await fetch(`${url}/billing${path}`, { headers: { 'x-api-key': apiKey } })
    return (await response.json()) as Json
  }
  return { farebox, url, ask, see }
}

/** The words of an answer. */
function saidIn(stream: string): string {
  const events = stream.split('\n\n').filter((event) => event.startsWith('data: '))
  const chunks = events.map((event) => JSON.parse(event.slice('data: '.length)) as { choices: { delta: { content: string } }[] })
  return chunks
    .flatMap(({ choices }) => choices.map(({ delta }) => delta.content))
    .join('')
    .trim()
}

test('an answer is streamed, and its tokens are taken from the balance at the prices of the model', async () => {
  const { ask, see } = await running()
  const answer = await ask('What does the parrot say')
  expect([answer.status, answer.headers.get('ratelimit')?.startsWith('"balance";r=4')]).toEqual([200, true])
  expect(saidIn(await answer.text())).toBe('What does the parrot say squawk!')
  const { items } = (await see('/events')) as { items: { quantity: string; route: string; charge: Json }[] }
  // 5 tokens in at 0.15 and 6 out at 0.60 dollars a million, and a quarter on top.
  expect(items).toMatchObject([
    {
      quantity: '1',
      route: '/v1/chat',
      charge: { unit: 'USD', cost: '0.0000054375', model: { model: 'gpt-4o-mini', margin: '25', provider_cost: '0.00000435' } },
    },
  ])
  expect((await see('/usage'))['features']).toMatchObject([
    { unit: 'USD', included: '5', used: '1', reserved: '0', remaining: '4.999994' },
  ])
  expect((await see('/invoices'))['items']).toMatchObject([{ total: '5.00', lines: [{ type: 'plan_base' }] }])
})

test('a client who leaves in the middle pays for what was delivered', async () => {
  const { ask, see } = await running({ wordEveryMs: 20 })
  const leaving = new AbortController()
  const question = Array(400).fill('again').join(' ')
  const answer = await ask(question, undefined, leaving.signal)
  const reader = answer.body?.getReader()
  for (let chunks = 0; chunks < 3; chunks += 1) await reader?.read()
  leaving.abort()
  let items: { charge: { cost: string; model: { incomplete: boolean; classes: [string, number, string][] } } }[] = []
  for (let waited = 0; items.length === 0 && waited < 300; waited += 1) {
    await new Promise((resolve) => setTimeout(resolve, 10))
    items = (await see('/events'))['items'] as typeof items
  }
  const { incomplete, classes } = items[0]?.charge.model ?? {}
  const [sent, said] = (classes ?? []).map(([, tokens]) => tokens)
  expect([incomplete, sent]).toEqual([true, 400])
  // Some words were on their way; far fewer than the 401 of the whole answer.
  expect(said).toBeGreaterThanOrEqual(3)
  expect(said).toBeLessThan(100)
})

test('who has less than an answer may cost is answered 402, and sees why', async () => {
  const { farebox, ask, see } = await running()
  const { key } = await farebox.apiKeys.create({ customerId: 'ada' })
  const question = Array(499).fill('word').join(' ')
  // 499 words in and 500 out are 0.00046856250 dollars, and 0.00046875 are held for each: after two answers too little is left.
  for (let answers = 0; answers < 2; answers += 1) expect(saidIn(await (await ask(question, key)).text())).toMatch(/squawk!$/)
  await farebox.flush()
  const refused = await ask('one more', key)
  expect([refused.status, refused.headers.get('content-type')]).toEqual([402, 'application/problem+json'])
  expect(await refused.json()).toMatchObject({
    code: 'balance_exhausted',
    plan: 'free',
    unit: 'USD',
    limit: 0.001,
    remaining: 0.000062,
  })
  expect(await see('/entitlements/chat', key)).toMatchObject({ allowed: true, plan: 'free', remaining: '0.000062' })
  expect((await ask('one more')).status).toBe(200)
})

test('a change of plan is previewed and made by the customer, and the balance is there at once', async () => {
  const { farebox, url, ask, see } = await running()
  const { key } = await farebox.apiKeys.create({ customerId: 'ada' })
  await (await ask('hello', key)).text()
  const change = async (path: string): Promise<Json> => {
    const headers = { 'x-api-key': key, 'content-type': 'application/json' }
    const response = await fetch(`${url}/billing${path}`, { method: 'POST', headers, body: '{"plan":"prepaid"}' })
    return (await response.json()) as Json
  }
  expect(await change('/subscription/change/preview')).toMatchObject({
    subscription: { plan: 'prepaid' },
    invoice: { total: '5.00' },
  })
  expect(await see('/subscription', key)).toMatchObject({ plan: 'free' })
  expect(await change('/subscription/change')).toMatchObject({
    subscription: { plan: 'prepaid' },
    invoice: { total: '5.00', status: 'open' },
  })
  expect((await see('/usage', key))['features']).toMatchObject([{ included: '5', remaining: '5' }])
})

test('an empty question, a wrong path and a stranger cost nothing', async () => {
  const { farebox, ask, see } = await running()
  expect((await ask(' ')).status).toBe(400)
  expect((await ask('hello', 'wrong')).status).toBe(401)
  expect((await ask('x'.repeat(20_000))).status).toBe(413)
  await farebox.flush()
  expect((await farebox.events.list()).items).toEqual([])
  expect((await see('/usage'))['features']).toMatchObject([{ remaining: '5', reserved: '0' }])
})
