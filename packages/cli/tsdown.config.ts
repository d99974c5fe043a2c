import { defineConfig, type UserConfig } from 'tsdown'

const config: UserConfig = defineConfig({
  entry: { bin: 'src/bin.ts', 'llm-trace': 'src/llm-trace/index.ts', move: 'src/move/index.ts', replay: 'src/replay/index.ts' },
  format: ['esm'],
  dts: true,
  platform: 'node',
  target: 'node22',
  fixedExtension: true,
})

export default config
