import { defineConfig, type ViteUserConfig } from 'vitest/config'

const config: ViteUserConfig = defineConfig({
  resolve: { conditions: ['farebox-source'] },
  ssr: { resolve: { conditions: ['farebox-source'], externalConditions: ['farebox-source'] } },
  test: {
    globalSetup: ['@farebox/postgres-server/vitest'],
    include: [
      'structure/**/*.test.ts',
      'scenarios/**/*.test.ts',
      'clients/**/*.test.ts',
      'consumers/**/*.test.ts',
      'proofs/**/*.test.ts',
    ],
  },
})

export default config
