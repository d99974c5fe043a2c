/** Checks an IBAN as ISO 13616 says: the country first, then the check digits. */

export interface Check {
  readonly iban: string
  readonly country: string | null
  readonly isValid: boolean
}

/** Spaces are for people and are left out. */
export function checkIban(text: string): Check {
  const iban = text.replaceAll(' ', '').toUpperCase()
  if (!/^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$/.test(iban)) return { iban, country: null, isValid: false }
  return { iban, country: iban.slice(0, 2), isValid: remainder(iban.slice(4) + iban.slice(0, 4)) === 1 }
}

/** Of the division by 97, with A for 10 to Z for 35. */
function remainder(text: string): number {
  let rest = 0
  for (const digit of text.replaceAll(/[A-Z]/g, (letter) => String(letter.charCodeAt(0) - 55))) {
    rest = (rest * 10 + Number(digit)) % 97
  }
  return rest
}
