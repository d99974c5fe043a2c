/** Weather of a kind: the same place has the same weather on the same day, and no two places agree for long. */

export interface Weather {
  readonly day: number
  readonly celsius: number
  readonly sky: 'clear' | 'cloudy' | 'rain'
}

const SKIES = ['clear', 'cloudy', 'rain'] as const

/** `day` counts from today. */
export function weatherOf(place: string, day: number): Weather {
  let mixed = day * 31
  for (const letter of place.toLowerCase()) mixed = (mixed * 33 + (letter.codePointAt(0) ?? 0)) % 9973
  return { day, celsius: (mixed % 40) - 8, sky: SKIES[mixed % SKIES.length] ?? 'clear' }
}
