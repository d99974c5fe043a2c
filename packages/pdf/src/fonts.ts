/** The fonts of a document: DejaVu Sans, and those that the host gives for scripts that it lacks. */

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { FareboxError } from '@farebox/core/contracts'
import { create, type Font } from 'fontkit'
import type { FontSource } from './font-source.ts'

export interface FontFamily {
  readonly regular: Font
  readonly bold: Font
}

export type Weight = keyof FontFamily

const require = createRequire(import.meta.url)

/** Read once, and opened for each document: a font remembers each glyph as it was asked for first, and a part of another letter has no text. */
const dejaVu = new Map<string, Buffer>()

/** In the order in which they are asked for a glyph. Throws `invalid_option` for a source that is no font. */
export function openFamilies(sources: readonly FontSource[]): readonly FontFamily[] {
  const own = { regular: openDejaVu('DejaVuSansCondensed'), bold: openDejaVu('DejaVuSansCondensed-Bold') }
  const others = sources.map((source, index) => {
    const font = opened(source, index)
    return { regular: font, bold: font }
  })
  return [own, ...others]
}

function openDejaVu(name: string): Font {
  const bytes = dejaVu.get(name) ?? readFileSync(require.resolve(`dejavu-fonts-ttf/ttf/${name}.ttf`))
  dejaVu.set(name, bytes)
  return fontOf(bytes)
}

function opened(source: FontSource, index: number): Font {
  try {
    return fontOf(typeof source === 'string' ? readFileSync(source) : Buffer.from(source))
  } catch (cause) {
    const got = typeof source === 'string' ? source : 'bytes that are none'
    throw new FareboxError(
      'invalid_option',
      `Expected fonts[${index}] of invoicePdf() to be the path or the bytes of a font, got ${got}: give a TrueType, OpenType or WOFF file`,
      { fields: { option: `fonts[${index}]`, value: got }, cause },
    )
  }
}

function fontOf(bytes: Buffer): Font {
  const font = create(bytes)
  if (!('fonts' in font)) return font
  const [first] = font.fonts
  if (first === undefined) throw new Error('The collection is empty')
  return first
}
