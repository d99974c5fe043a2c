/** The behaviours that every adapter of Farebox has, on Hono behind @hono/node-server. */

import { adapterSuite } from '@farebox/conformance'
import { afterEach, beforeEach, vi } from 'vitest'
import { listen, listenHttp2 } from './sample-app.ts'

// node-server tells there of each stream that breaks.
beforeEach(() => void vi.spyOn(console, 'error').mockImplementation(() => {}))
afterEach(() => void vi.restoreAllMocks())

const skip = {
  'C31.2':
    'Hono runs middleware in the order of registration, so a meter in front of the authentication comes first; the other order is tested in node.test.ts',
}

adapterSuite({ name: 'Hono', listen, skip })
if (process.env['HONO_PACKAGE'] === 'hono')
  adapterSuite({ name: 'Hono over HTTP/2', listen: listenHttp2, protocol: 'http2', skip })
