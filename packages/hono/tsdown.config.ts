import { defineConfig, type UserConfig } from 'tsdown'

const config: UserConfig = defineConfig({
  entry: { index: 'src/index.ts' },
  format: ['esm', 'cjs'],
  dts: true,
  // The adapter uses nothing of Node itself: Hono runs on many runtimes.
  platform: 'neutral',
  target: 'es2024',
  // .mjs and .cjs, so that the file says what it is wherever it is read.
  fixedExtension: true,
})

export default config
