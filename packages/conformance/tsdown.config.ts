import { defineConfig, type UserConfig } from 'tsdown'

const config: UserConfig = defineConfig({
  entry: { index: 'src/index.ts' },
  // Vitest runs ESM only, and so does what runs in it.
  format: ['esm'],
  dts: true,
  platform: 'node',
  target: 'node22',
  // .mjs, so that the file says what it is wherever it is read.
  fixedExtension: true,
})

export default config
