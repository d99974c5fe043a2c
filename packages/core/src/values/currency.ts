/** ISO 4217: the currencies that an amount can be in, and how many decimal places their minor unit has. */

import { invariant } from './invariant.ts'

/**
 * By decimal places. Never taken from `Intl`, whose places are those of cash in daily use (HUF 0) and not those of ISO 4217
 * (HUF 2). Codes without a minor unit (metals, XDR, XXX and their like) are no currencies to bill in. BGN stays: invoices
 * that were made in it outlive it.
 */
const CODES_BY_PLACES: Readonly<Record<number, string>> = {
  0: 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF',
  2: `AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY COP
      COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD
      KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK
      NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT
      TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG`,
  3: 'BHD IQD JOD KWD LYD OMR TND',
  4: 'CLF UYW',
}

const PLACES_BY_CODE: ReadonlyMap<string, number> = new Map(
  Object.entries(CODES_BY_PLACES).flatMap(([places, codes]) =>
    codes.split(/\s+/).map((code): [string, number] => [code, Number(places)]),
  ),
)

/** Decimal places of the currency's minor unit: JPY 0, USD 2, KWD 3. The code is one that `isCurrency` knows. */
export function minorUnits(code: string): number {
  const places = PLACES_BY_CODE.get(code)
  invariant(places !== undefined, 'a currency is an ISO 4217 code in capitals')
  return places
}

/** Whether the text is an ISO 4217 code in capitals. */
export function isCurrency(code: string): boolean {
  return PLACES_BY_CODE.has(code)
}

/** Every code, in the order of the alphabet. */
export function currencyCodes(): string[] {
  return [...PLACES_BY_CODE.keys()].toSorted()
}
