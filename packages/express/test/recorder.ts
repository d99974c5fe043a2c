/** A stand-in for the engine: its gates write down what the adapter tells them, and refuse beyond a limit. */

import type { Gate, MeterOptions, Outcome, Ticket, Verdict } from '@farebox/core/http'

/** What a gate was asked. */
export interface Admission {
  readonly feature: string
  readonly method: string
  readonly route: string | null
}

/** How a gate was told that it ended. */
export interface Settlement {
  readonly feature: string
  readonly key: string
  readonly outcome: Outcome
}

export interface Recorder {
  createGate<Raw>(feature: string | undefined, options: MeterOptions<Raw>): Gate<Raw>
  readonly admissions: Admission[]
  readonly settlements: Settlement[]
  readonly refusals: Admission[]
  readonly options: unknown[]
}

export interface RecorderOptions {
  /** Requests that each feature admits; a settled request gives nothing back. Default: any number. */
  readonly limit?: number
  /** Runs before each decision: a delay, an error to reject with, or something that happens to the request. */
  readonly beforeDecision?: (raw: unknown) => Promise<void> | void
}

const REFUSAL_BODY = '{"status":402,"code":"allowance_exhausted"}'

/** Makes a recorder. It takes the place of a Farebox in the `farebox` option. */
export function createRecorder({ limit = Infinity, beforeDecision }: RecorderOptions = {}): Recorder {
  const recorder: Recorder = {
    admissions: [],
    settlements: [],
    refusals: [],
    options: [],
    createGate<Raw>(feature = 'default', options: MeterOptions<Raw>): Gate<Raw> {
      recorder.options.push(options)
      return {
        async admit({ method, route, raw }): Promise<Verdict> {
          await beforeDecision?.(raw)
          const admission = { feature, method, route }
          const used = recorder.admissions.filter((admitted) => admitted.feature === feature).length
          if (used >= limit) {
            recorder.refusals.push(admission)
            return { kind: 'refused', reply: { status: 402, headers: REFUSAL_HEADERS, body: REFUSAL_BODY } }
          }
          recorder.admissions.push(admission)
          return {
            kind: 'admitted',
            ticket: ticketOf(feature, `key-${recorder.admissions.length}`),
            headers: [['RateLimit', `"${feature}";r=1`]],
          }
        },
        settle({ meter: { key } }, outcome) {
          recorder.settlements.push({ feature, key, outcome })
        },
      }
    },
  }
  return recorder
}

const REFUSAL_HEADERS = [
  ['Content-Type', 'application/problem+json'],
  ['Cache-Control', 'no-store'],
] as const

function ticketOf(feature: string, key: string): Ticket {
  return {
    meter: {
      customerId: 'customer',
      feature,
      key,
      remaining: '1',
      add: () => {},
      addModelUsage: () => {},
      followModelUsage: () => {},
    },
  }
}
