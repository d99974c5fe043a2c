/** Who pays. */

export interface Customer {
  /** The application's own id. */
  readonly id: string
  readonly name: string | null
  readonly email: string | null
  /** IANA name; days and periods are counted in it. */
  readonly timeZone: string
  readonly createdAt: number
}
