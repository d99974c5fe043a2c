import { defineConfig, type ViteUserConfig } from 'vitest/config'

const config: ViteUserConfig = defineConfig({
  resolve: { conditions: ['farebox-source'] },
  ssr: { resolve: { conditions: ['farebox-source'], externalConditions: ['farebox-source'] } },
  test: { include: ['src/**/*.test.ts', 'test/**/*.test.ts'] },
})

export default config
