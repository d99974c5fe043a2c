import { defineConfig, type ViteUserConfig } from 'vitest/config'

/** Every test runs on both ends of the peer range. */
const versions: readonly { readonly name: string; readonly package: string }[] = [
  { name: 'newest', package: 'fastify' },
  { name: 'oldest', package: 'fastify-oldest' },
]

const config: ViteUserConfig = defineConfig({
  test: {
    projects: versions.map((version) => ({
      resolve: { conditions: ['farebox-source'], alias: [{ find: /^fastify$/, replacement: version.package }] },
      ssr: { resolve: { conditions: ['farebox-source'], externalConditions: ['farebox-source'] } },
      test: { name: version.name, include: ['src/**/*.test.ts', 'test/**/*.test.ts'] },
    })),
  },
})

export default config
