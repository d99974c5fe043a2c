/** What is in the tarballs, read by the tools that know how packages are resolved. */

import { readFileSync } from 'node:fs'
import { checkPackage, createPackageFromTarballData, type Problem } from '@arethetypeswrong/core'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { beforeAll, describe, expect, test } from 'vitest'
import { isEsmOnly, type Manifest, pack, published, tarballOf, temporaryFolder } from './packed.ts'

const folder = temporaryFolder()
beforeAll(() => pack(folder))

describe.each(published)('$name', (manifest) => {
  test('publint has nothing to say, suggestions included', async () => {
    const { messages, pkg } = await publint({ pack: { tarball: read(manifest).buffer }, strict: true })
    expect(messages.map((message) => formatMessage(message, pkg, { color: false }))).toEqual([])
  })

  test('the types are right, however the package is resolved', async () => {
    const analysis = await checkPackage(createPackageFromTarballData(read(manifest)))
    expect(analysis.types === false ? ['no types'] : analysis.problems.filter((problem) => matters(manifest, problem))).toEqual(
      [],
    )
  })

  test('there are a readme, a licence and what was built, and nothing else', () => {
    const { name, version } = manifest
    const found = createPackageFromTarballData(read(manifest))
    const files = found.listFiles().map((file) => file.slice(`/node_modules/${name}/`.length))
    expect(files.filter((file) => !file.startsWith('dist/')).toSorted()).toEqual(['LICENSE', 'README.md', 'package.json'])

    // Packages of ours are released together, and are wanted as they were tested together.
    const { dependencies = {} } = JSON.parse(found.readFile(`/node_modules/${name}/package.json`)) as Manifest
    const ours = Object.entries(dependencies).filter(([dependency]) => published.some((each) => each.name === dependency))
    expect(ours).toEqual(name === '@farebox/core' ? [] : [['@farebox/core', version]])
  })
})

/**
 * `node10` is the way of resolving of Node 10, which knows no `exports`: we ask for Node 22.13, and TypeScript 7 has it no
 * more. A package without CommonJS has no types for it either.
 */
function matters(manifest: Manifest, problem: Problem): boolean {
  if (!('resolutionKind' in problem)) return true
  return problem.resolutionKind !== 'node10' && !(problem.resolutionKind === 'node16-cjs' && isEsmOnly(manifest))
}

function read(manifest: Manifest): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(tarballOf(manifest, folder)))
}
