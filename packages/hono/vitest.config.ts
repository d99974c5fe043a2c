import { defineConfig, type ViteUserConfig } from 'vitest/config'

/** Every test runs on both ends of the peer range: the suite and the adapter get the same Hono. */
const versions: readonly { readonly name: string; readonly package: string }[] = [
  { name: 'newest', package: 'hono' },
  { name: 'oldest', package: 'hono-oldest' },
]

const config: ViteUserConfig = defineConfig({
  test: {
    projects: versions.map((version) => ({
      resolve: { conditions: ['farebox-source'], alias: [{ find: /^hono(?=\/|$)/, replacement: version.package }] },
      ssr: { resolve: { conditions: ['farebox-source'], externalConditions: ['farebox-source'] } },
      test: { name: version.name, include: ['src/**/*.test.ts', 'test/**/*.test.ts'], env: { HONO_PACKAGE: version.package } },
    })),
  },
})

export default config
