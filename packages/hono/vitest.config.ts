import { defineConfig, type Plugin, type ViteUserConfig } from 'vitest/config'

/** Every test runs on both ends of the peer range: the suite and the adapter get the same Hono. */
const versions: readonly string[] = ['hono', 'hono-oldest']

/** Writes another name into the imports of this package. No alias, because the core has a Hono of its own. */
function honoIs(name: string): Plugin {
  return {
    // Of each project its own, because Vitest keeps what plugins made under their names.
    name: `imports-${name}`,
    enforce: 'pre',
    transform(code, id) {
      return id.startsWith(import.meta.dirname) ? code.replaceAll(/(?<=\bfrom ')hono(?=['/])/g, name) : null
    },
  }
}

const config: ViteUserConfig = defineConfig({
  test: {
    projects: versions.map((version) => ({
      plugins: [honoIs(version)],
      resolve: { conditions: ['farebox-source'] },
      ssr: { resolve: { conditions: ['farebox-source'], externalConditions: ['farebox-source'] } },
      test: { name: version, include: ['src/**/*.test.ts', 'test/**/*.test.ts'], env: { HONO_PACKAGE: version } },
    })),
  },
})

export default config
