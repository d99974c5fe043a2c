/** Calls a payment provider within a limit of time: what it does not answer is unknown, and never taken for a no. */

import type {
  ChargeInput,
  ChargeResult,
  PaymentProvider,
  RefundInput,
  RefundResult,
  StatusResult,
} from '../contracts/payment-provider.ts'
import { inTime } from '../values/in-time.ts'

/** None of them rejects. */
export interface ProviderCalls {
  charge(input: ChargeInput): Promise<ChargeResult>
  refund(input: RefundInput): Promise<RefundResult>
  status(key: string): Promise<StatusResult>
}

/** A person waits for some of the calls, and gives up after about so long. */
export const DEFAULT_WITHIN_MS = 20_000

export interface ProviderCallsParts {
  readonly provider: PaymentProvider
  /** Gets what a provider threw: the payment says no more than that its end is unknown. */
  readonly onError: (error: unknown) => void
}

export function createProviderCalls({ provider, onError }: ProviderCallsParts): ProviderCalls {
  const { withinMs = DEFAULT_WITHIN_MS } = provider
  return {
    charge: (input) => heard(() => provider.charge(input)),
    refund: (input) => heard(() => provider.refund(input)),
    status: (key) => heard(() => provider.status(key)),
  }

  async function heard<Result extends StatusResult>(call: () => Promise<Result>): Promise<Result | { kind: 'unknown' }> {
    try {
      const result = await inTime(withinMs, call())
      return result === null || !KINDS.has(result.kind) ? { kind: 'unknown' } : result
    } catch (error) {
      // It may have been thrown on the way back, after the money moved.
      onError(error)
      return { kind: 'unknown' }
    }
  }
}

/** A provider may be written in JavaScript: what it says otherwise is not understood. */
const KINDS: ReadonlySet<string> = new Set<StatusResult['kind']>(['succeeded', 'pending', 'declined', 'unknown', 'none'])
