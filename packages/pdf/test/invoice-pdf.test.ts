import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { printedInvoice, type PrintOptions } from '@farebox/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { invoicePdf } from '../src/index.ts'
import { invoiceOf, line, read, usd, withoutSpaces } from './sample.ts'

const invoice = invoiceOf([
  line('documents'),
  line('images', { unitPrice: null, cost: { unit: 'credits', amount: '12.5' } }),
  line('late', { type: 'adjustment', corrects: 'sub_1-0', amount: usd(-400n) }),
])

const parties = { seller: 'Acme Weather GmbH\nHauptstraße 1\n10115 Berlin', buyer: 'Ada Lovelace\nLondon' }

const THAI = createRequire(import.meta.url).resolve('@fontsource/noto-sans-thai/files/noto-sans-thai-thai-400-normal.woff')

describe('the document', () => {
  test.each<PrintOptions>([parties, { ...parties, locale: 'de-DE', timeZone: 'Asia/Tokyo' }, { locale: 'el-GR' }, {}])(
    'has every text of the printed invoice (%o)',
    async (options) => {
      const { pages } = await read(await invoicePdf(invoice, options))
      const { title, status, seller, buyer, facts, lines, sums, notes, seal } = printedInvoice(invoice, options)
      const texts = [
        title,
        status.toUpperCase(),
        ...seller,
        ...buyer,
        ...facts.flatMap(({ label, value }) => [label, value]),
        ...lines.flatMap((one) => Object.values(one).flat()),
        ...sums.flatMap(({ label, amount }) => [label, amount]),
        ...notes,
        `${seal?.label}: ${seal?.root}`,
      ]
      expect(pages).toHaveLength(1)
      expect(texts.filter((text) => !pages[0]?.includes(withoutSpaces(text)))).toEqual([])
      expect(pages[0]?.includes('Billto')).toBe(options.buyer !== undefined)
    },
  )

  test('is the same, byte for byte, however often it is made, and another for another invoice', async () => {
    const bytes = await invoicePdf(invoice, parties)
    expect(await invoicePdf(invoice, parties)).toEqual(bytes)
    expect(await invoicePdf({ ...invoice, number: 'FB-000043' }, parties)).not.toEqual(bytes)
  })

  test('says what it is, of whom and of when, and in which language', async () => {
    const bytes = await invoicePdf(invoice, { ...parties, locale: 'pl-PL' })
    const { info } = await read(bytes)
    expect(info).toMatchObject({
      Title: 'Invoice FB-000042',
      Author: 'Acme Weather GmbH',
      CreationDate: 'D:20260203040506Z',
      Language: 'pl-PL',
    })
  })

  test.each([
    ['A4', [595.28, 841.89]],
    ['Letter', [612, 792]],
  ] as const)('is on %s paper', async (pageSize, size) => {
    expect((await read(await invoicePdf(invoice, { pageSize }))).size).toEqual(size)
  })

  test('has no column for what is on none of its lines', async () => {
    const untaxed = { ...invoice, lines: invoice.lines.filter(({ type }) => type !== 'tax') }
    expect((await read(await invoicePdf(untaxed))).pages[0]).not.toContain('Tax')
    const credited = {
      ...invoice,
      type: 'credit_note' as const,
      lines: [line('credit-documents', { type: 'credit', amount: usd(-400n) })],
    }
    const [page] = (await read(await invoicePdf(credited))).pages
    expect(page).toContain('CreditnoteFB-000042')
    expect(page).not.toContain('Quantity')
  })
})

describe('every script', () => {
  test('of Latin, Greek and Cyrillic, and every sign of a currency, is readable', async () => {
    const text = 'Zażółć gęślą jaźń ₹ Привет Ωμέγα ß € £ ¥ ₺ ₴ ₦'
    const { pages } = await read(await invoicePdf(invoiceOf([line('a', { description: text })]), { buyer: text }))
    expect(pages[0]?.split(withoutSpaces(text))).toHaveLength(3)
  })

  test('is readable when the host gives a font for it, as a path or as bytes', async () => {
    const thai = invoiceOf([line('a', { description: 'Wrocław สวัสดี Łódź' })])
    for (const font of [THAI, readFileSync(THAI)]) {
      expect((await read(await invoicePdf(thai, { fonts: [font] }))).pages[0]).toContain('WrocławสวัสดีŁódź')
    }
    expect((await read(await invoicePdf(thai))).pages[0]).not.toContain('สวัสดี')
  })

  test('that runs from right to left keeps the order of its words', async () => {
    const { pages } = await read(await invoicePdf(invoice, { buyer: 'Dr. שלום עולם Ltd' }))
    // The reader puts the glyphs into the order in which they are read, from where they stand on the page.
    expect(pages[0]).toContain('שלוםעולם')
  })

  test('has its text whatever was printed before: a letter that was a part of another one is a letter', async () => {
    await invoicePdf(invoice, { buyer: 'ѓ' })
    const { pages } = await read(await invoicePdf(invoice, { buyer: 'г' }))
    expect(pages[0]).toContain('г')
  })

  test('whatever a customer is called, there is a document, and what DejaVu knows is in it', async () => {
    const known = fc.string({ unit: fc.constantFrom(...'abc ABC ąćęłńóśźż ÄÖÜß αβγ где №&<>()/-.,"\''), maxLength: 300 })
    await fc.assert(
      fc.asyncProperty(known, fc.string({ unit: 'grapheme', maxLength: 60 }), async (text, any) => {
        const { pages } = await read(
          await invoicePdf(invoiceOf([line('a', { description: text }), line('b', { description: any })]), { buyer: any }),
        )
        expect(pages.join('')).toContain(withoutSpaces(text))
      }),
      { numRuns: 25 },
    )
  })
})

describe('an invoice that is longer than a page', () => {
  const lines = Array.from({ length: 120 }, (_, index) => line(`line${index}x`))

  test('goes on with its head on every page, counts its pages, and has each line once', async () => {
    const { pages } = await read(await invoicePdf(invoiceOf(lines), parties))
    expect(pages.length).toBeGreaterThan(3)
    for (const [index, page] of pages.entries()) {
      expect(page).toContain('DescriptionQuantityIncludedBillableUnitpriceTaxAmount')
      expect(page).toContain(`InvoiceFB-000042Page${index + 1}of${pages.length}`)
      if (index > 0) expect(page.startsWith('InvoiceFB-000042AcmeWeatherGmbH')).toBe(true)
    }
    for (const { id } of lines) expect(pages.join('').split(`Feature${id}`)).toHaveLength(2)
    expect(pages.at(-1)).toContain('AmountdueUSD$20.00')
  })

  test('keeps its sums together, wherever the lines end', async () => {
    for (let length = 10; length <= 24; length += 1) {
      const { pages } = await read(await invoicePdf(invoiceOf(lines.slice(0, length))))
      expect(pages.filter((page) => page.includes('Subtotal') && page.includes('AmountdueUSD'))).toHaveLength(1)
    }
  })

  test('goes on in the middle of a line that no page can hold', async () => {
    const words = Array.from({ length: 2000 }, (_, index) => `word${index}x`)
    const { pages } = await read(await invoicePdf(invoiceOf([line('a', { description: words.join(' ') }), line('last')])))
    expect(pages.length).toBeGreaterThan(2)
    const missing = words.filter((word) => pages.join('').split(word).length !== 2)
    expect(missing).toEqual([])
    expect(pages.at(-1)).toContain('Featurelast')
  })
})

describe('options that cannot be', () => {
  test.each<[object, string]>([
    [{ pagesize: 'A4' }, 'got pagesize'],
    [{ pageSize: 'A3' }, "pageSize of invoicePdf() to be 'A4' or 'Letter', got 'A3'"],
    [{ fonts: '/fonts/a.ttf' }, 'fonts of invoicePdf() to be a list of fonts'],
    [{ fonts: ['/nowhere/a.ttf'] }, 'fonts[0] of invoicePdf() to be the path or the bytes of a font, got /nowhere/a.ttf'],
    [
      { fonts: [THAI, Buffer.from('no font')] },
      'fonts[1] of invoicePdf() to be the path or the bytes of a font, got bytes that are none',
    ],
  ])('%o are refused', async (options, message) => {
    await expect(invoicePdf(invoice, options)).rejects.toThrow(expect.objectContaining({ code: 'invalid_option' }))
    await expect(invoicePdf(invoice, options)).rejects.toThrow(message)
  })
})
