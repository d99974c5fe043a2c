/** Where a font of the host comes from. Apart from the fonts themselves, so that the public types need none of their library. */

/** Path or bytes of a font: TrueType, OpenType or WOFF; of a collection its first font. */
export type FontSource = string | Uint8Array
