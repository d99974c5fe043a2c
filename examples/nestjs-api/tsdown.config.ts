import { defineConfig, type UserConfig } from 'tsdown'

/** Node takes types away by itself, but not decorators: so this application is built before it starts. */
const config: UserConfig = defineConfig({
  entry: { start: 'src/start.ts' },
  format: ['esm'],
  platform: 'node',
  target: 'node22',
  fixedExtension: true,
})

export default config
