/** The suite on the smallest adapter: what it asks for can be had. */

import { adapterSuite } from '../src/index.ts'
import { plainListen } from './plain-app.ts'

adapterSuite({ name: 'Plain HTTP/1', listen: plainListen('http1') })
adapterSuite({ name: 'Plain HTTP/2', listen: plainListen('http2'), protocol: 'http2' })
