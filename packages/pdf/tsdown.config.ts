import { defineConfig, type UserConfig } from 'tsdown'

const config: UserConfig = defineConfig({
  entry: { index: 'src/index.ts' },
  format: ['esm', 'cjs'],
  dts: true,
  platform: 'node',
  target: 'node22',
  // .mjs and .cjs, so that the file says what it is wherever it is read.
  fixedExtension: true,
  outputOptions: { exports: 'named' },
})

export default config
