/** The checkout page of the sandbox: a plain form on which a customer picks the card that is put on file. */

import { createHash } from 'node:crypto'
import type { Checkout, CheckoutInput, ProviderEvent } from '../contracts/payment-provider.ts'
import { FareboxError } from '../errors.ts'
import type { Clock } from '../values/clock.ts'
import { escapeHtml } from '../values/html.ts'
import { randomId } from '../values/id.ts'
import { SANDBOX_METHODS, sandboxMethod } from './sandbox-methods.ts'

export interface CheckoutPages {
  create(input: CheckoutInput): Checkout
  /** Answers a page by the last part of its path, whatever it is mounted under. */
  handle(request: Request): Promise<Response>
}

export interface CheckoutPagesParts {
  /** Where the handler is mounted, without a slash at the end. */
  readonly baseUrl: string
  readonly clock: Clock
  /** Rejects when the event cannot be taken now. */
  readonly tell: (event: ProviderEvent) => Promise<void>
}

interface Session extends CheckoutInput {
  readonly id: string
  readonly createdAt: number
  isDone: boolean
}

/** Whoever has the address of a page may leave a card for its customer, so it is no use for long. */
const LIFE_MS = 3_600_000

/** Beyond it the oldest pages are forgotten. */
const MAX_SESSIONS = 10_000

/** A form with one field is much shorter. */
const MAX_BODY = 4_096

export function createCheckoutPages({ baseUrl, clock, tell }: CheckoutPagesParts): CheckoutPages {
  const sessions = new Map<string, Session>()
  const byKey = new Map<string, Session>()

  return { create, handle }

  function create(input: CheckoutInput): Checkout {
    for (const name of ['successUrl', 'cancelUrl'] as const) checkUrl(name, input[name])
    const known = byKey.get(input.key)
    // The address cannot be guessed from the key.
    const session = known ?? { ...input, id: randomId('checkout'), createdAt: clock.now(), isDone: false }
    sessions.set(session.id, session)
    byKey.set(session.key, session)
    for (const oldest of sessions.values()) {
      if (sessions.size <= MAX_SESSIONS) break
      sessions.delete(oldest.id)
      byKey.delete(oldest.key)
    }
    return { id: session.id, url: `${baseUrl}/checkout/${session.id}` }
  }

  async function handle(request: Request): Promise<Response> {
    const id = new URL(request.url).pathname.split('/').at(-1) ?? ''
    const session = sessions.get(id)
    if (session === undefined) return note(404, 'There is no such page', 'Ask for a new one.')
    if (session.isDone) return note(410, 'This page was used', 'A card is on file. Ask for a new page to change it.')
    if (clock.now() >= session.createdAt + LIFE_MS) return note(410, 'This page is too old', 'Ask for a new one.')
    if (request.method === 'GET' || request.method === 'HEAD') return formPage(session)
    if (request.method !== 'POST') return note(405, 'This page takes GET and POST', '', { Allow: 'GET, HEAD, POST' })
    return submit(session, request)
  }

  async function submit(session: Session, request: Request): Promise<Response> {
    const body = await readBody(request)
    const method = body === null ? null : new URLSearchParams(body).get('payment_method')
    if (method === null || sandboxMethod(method) === null) return note(400, 'Pick one of the cards', 'Go back and try again.')
    try {
      await tell({ kind: 'payment_method', customerId: session.customerId, paymentMethod: method })
    } catch {
      return note(503, 'The card could not be put on file', 'Go back and try again.')
    }
    session.isDone = true
    return new Response(null, { status: 303, headers: { ...HEADERS, Location: session.successUrl } })
  }
}

function checkUrl(name: string, url: unknown): void {
  const parsed = typeof url === 'string' && URL.canParse(url) ? new URL(url) : null
  if (parsed !== null && (parsed.protocol === 'https:' || parsed.protocol === 'http:')) return
  throw new FareboxError(
    'invalid_option',
    `Expected ${name} of a checkout to be an http or https URL, got ${JSON.stringify(url)}`,
    {
      fields: { option: name, value: url },
    },
  )
}

/** Null where it is longer than a form of this page can be. */
async function readBody(request: Request): Promise<string | null> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of request.body ?? []) {
    length += chunk.byteLength
    if (length > MAX_BODY) return null
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function formPage({ customerId, successUrl, cancelUrl }: Session): Response {
  const cards = Object.entries(SANDBOX_METHODS).map(([token, { label }], place) => {
    const checked = place === 0 ? ' checked' : ''
    return `<p><label><input type="radio" name="payment_method" value="${escapeHtml(token)}"${checked}> ${escapeHtml(label)} <code>${escapeHtml(token)}</code></label></p>`
  })
  const content = `<p>A card for ${escapeHtml(customerId)}. No money moves: this is a sandbox.</p>
<form method="post">
${cards.join('\n')}
<p><button>Put on file</button> <a href="${escapeHtml(cancelUrl)}">Cancel</a></p>
</form>`
  // A form may lead only where its policy says, and some browsers ask that of what answers it too.
  return page(200, 'Sandbox checkout', content, { formAction: `'self' ${new URL(successUrl).origin}` })
}

function note(status: number, title: string, text: string, headers: Readonly<Record<string, string>> = {}): Response {
  return page(status, title, `<p>${escapeHtml(text)}</p>`, { headers })
}

interface PageOptions {
  readonly formAction?: string
  readonly headers?: Readonly<Record<string, string>>
}

function page(status: number, title: string, content: string, { formAction = "'none'", headers = {} }: PageOptions): Response {
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${escapeHtml(title)}</h1>
${content}
</main>
</body>
</html>
`
  const policy = `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; form-action ${formAction}; frame-ancestors 'none'; base-uri 'none'`
  return new Response(html, {
    status,
    headers: { ...HEADERS, 'Content-Type': 'text/html; charset=utf-8', 'Content-Security-Policy': policy, ...headers },
  })
}

const HEADERS = { 'Cache-Control': 'no-store', 'Referrer-Policy': 'no-referrer', 'X-Content-Type-Options': 'nosniff' }

const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 36rem; margin: 2rem auto; padding: 0 1rem; }
button { font: inherit; padding: 0.4rem 1rem; }
`

const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64')
