import { defineConfig, type UserConfig } from 'tsdown'

const config: UserConfig = defineConfig({
  entry: {
    index: 'src/index.ts',
    http: 'src/http/index.ts',
    billing: 'src/billing/index.ts',
    contracts: 'src/contracts/index.ts',
    sqlite: 'src/sqlite/store.ts',
    sandbox: 'src/providers/sandbox.ts',
  },
  format: ['esm', 'cjs'],
  dts: true,
  platform: 'node',
  target: 'node22',
  // .mjs and .cjs, so that the file says what it is wherever it is read.
  fixedExtension: true,
})

export default config
