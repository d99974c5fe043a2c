/** The ways to pay of the sandbox: what each of them does is written here, and nothing is left to chance. */

/** How a way to pay ends, and what is heard of it at first. */
export interface SandboxMethod {
  /** As the checkout page shows it. */
  readonly label: string
  /** Null: the money moves. Else the code with which it is declined. */
  readonly declines: string | null
  /** `at_once`: the answer says how it ended. `unknown`: the answer is lost. `pending`: it says so, and has ended when it is asked again. */
  readonly answers: 'at_once' | 'unknown' | 'pending'
  /** The same of its refunds. */
  readonly refundDeclines: string | null
  readonly refundAnswers: SandboxMethod['answers']
}

const PAYS: SandboxMethod = { label: '', declines: null, answers: 'at_once', refundDeclines: null, refundAnswers: 'at_once' }

/** What a payment provider would give for a card that is on file. */
export type SandboxMethodToken =
  | 'sandbox_card'
  | 'sandbox_declined'
  | 'sandbox_insufficient_funds'
  | 'sandbox_expired'
  | 'sandbox_timeout'
  | 'sandbox_timeout_declined'
  | 'sandbox_pending'
  | 'sandbox_pending_declined'
  | 'sandbox_refund_declined'
  | 'sandbox_refund_timeout'

/** What the sandbox's ways to pay do, each time. */
export const SANDBOX_METHODS: Readonly<Record<SandboxMethodToken, SandboxMethod>> = {
  sandbox_card: { ...PAYS, label: 'A card that pays' },
  sandbox_declined: { ...PAYS, label: 'A card that is declined', declines: 'card_declined' },
  sandbox_insufficient_funds: { ...PAYS, label: 'A card without enough money', declines: 'insufficient_funds' },
  sandbox_expired: { ...PAYS, label: 'A card that has expired', declines: 'expired_card' },
  sandbox_timeout: { ...PAYS, label: 'A card that pays, and whose answer is lost', answers: 'unknown' },
  sandbox_timeout_declined: {
    ...PAYS,
    label: 'A card that is declined, and whose answer is lost',
    declines: 'card_declined',
    answers: 'unknown',
  },
  sandbox_pending: { ...PAYS, label: 'A bank debit that takes a while and pays', answers: 'pending' },
  sandbox_pending_declined: {
    ...PAYS,
    label: 'A bank debit that takes a while and is returned',
    declines: 'debit_returned',
    answers: 'pending',
  },
  sandbox_refund_declined: { ...PAYS, label: 'A card that pays and takes no refund', refundDeclines: 'refund_declined' },
  sandbox_refund_timeout: {
    ...PAYS,
    label: 'A card that pays, and the answer of whose refund is lost',
    refundAnswers: 'unknown',
  },
}

export function sandboxMethod(token: string | null): SandboxMethod | null {
  return token !== null && Object.hasOwn(SANDBOX_METHODS, token) ? SANDBOX_METHODS[token as SandboxMethodToken] : null
}
