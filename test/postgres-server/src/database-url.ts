/** Where a test finds the server that its run started. */

import { inject } from 'vitest'

declare module 'vitest' {
  interface ProvidedContext {
    databaseUrl: string
  }
}

export function databaseUrl(): string {
  return inject('databaseUrl')
}
