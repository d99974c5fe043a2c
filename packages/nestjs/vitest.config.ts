import { createRequire } from 'node:module'
import { defineConfig, type ViteUserConfig } from 'vitest/config'

const nest11 = createRequire(new URL('nest-11/package.json', import.meta.url))

/** Every test runs on both majors, with both platforms of each: for Nest 11 its packages take the place of Nest 12's. */
const config: ViteUserConfig = defineConfig({
  test: {
    projects: [11, 12].map((major) => ({
      resolve: { conditions: ['farebox-source'], alias: major === 11 ? nest11Aliases() : [] },
      ssr: { resolve: { conditions: ['farebox-source'], externalConditions: ['farebox-source'] } },
      test: {
        name: `nest-${major}`,
        include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
        env: { NEST_MAJOR: String(major) },
      },
    })),
  },
})

function nest11Aliases(): { find: RegExp; replacement: string }[] {
  const names = ['@nestjs/common', '@nestjs/core', '@nestjs/platform-express', '@nestjs/platform-fastify']
  return names.map((name) => ({ find: new RegExp(`^${name}$`), replacement: nest11.resolve(name) }))
}

export default config
