/** Using up what a customer has. */

import { expect } from 'vitest'
import { type App, LIMIT } from '../world.ts'

/** Uses up what `ada` has of `api_calls`. */
export async function exhaust(app: App): Promise<void> {
  for (let sent = 0; sent < LIMIT; sent++) expect(await app.send('GET /plain/1')).toMatchObject({ status: 200 })
}
