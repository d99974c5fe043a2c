/** Usage that other systems report: one event, many, or CloudEvents as OpenMeter's clients send them. */

import { createRoute, z } from '@hono/zod-openapi'
import type { Farebox } from '../farebox.ts'
import { PROBLEMS, refusalReply } from '../http/problem.ts'
import type { TrackInput } from '../usage.ts'
import { keyOf, readCloudEvents } from './cloud-events.ts'
import {
  CloudEvent,
  type CloudEventBody,
  EventInput,
  type EventBody,
  EventsInput,
  type ModelUsageBody,
  ModelUsageData,
  NoQuery,
} from './inputs.ts'
import { Problem, problemJson, problemOf, problemResponse } from './problems.ts'
import { answers, type BillingApp, checked, featureCode, given, jsonBody, OPERATOR, PROBLEM, type RouteParts } from './routes.ts'
import { EventResult, type EventResultJson, EventResults, type ProblemJson } from './schemas.ts'

const result = { 'application/json': { schema: EventResult } }

const one = createRoute({
  ...OPERATOR,
  method: 'post',
  path: '/admin/events',
  operationId: 'report_event',
  summary: 'Report one usage event',
  request: { query: NoQuery, body: jsonBody(EventInput) },
  responses: {
    201: { description: 'Counted, and durable', content: result },
    200: { description: 'Counted before under this key, and not again', content: result },
    202: { description: 'Its tokens have no price yet: it waits for one, durable, and is counted then', content: result },
    default: PROBLEM,
  },
})

const batch = createRoute({
  ...OPERATOR,
  method: 'post',
  path: '/admin/events/batch',
  operationId: 'report_events',
  summary: 'Report up to 1,000 usage events, each with a result of its own',
  request: { query: NoQuery, body: jsonBody(EventsInput) },
  responses: answers(EventResults, 'One result for each event, in their order'),
})

const cloudEvents = createRoute({
  ...OPERATOR,
  method: 'post',
  path: '/api/v1/events',
  operationId: 'report_cloud_events',
  summary: 'Report CloudEvents: structured, batched or binary',
  request: {
    query: NoQuery,
    body: {
      content: {
        'application/cloudevents+json': { schema: CloudEvent },
        'application/cloudevents-batch+json': { schema: z.array(CloudEvent) },
      },
    },
  },
  responses: { 204: { description: 'All of them are counted' }, default: PROBLEM },
})

export function addIngestRoutes(app: BillingApp, { farebox }: RouteParts): void {
  app.openapi(one, async (c) => {
    const reported = await report(farebox, trackInputOf(c.req.valid('json')))
    if (reported.refusal !== null) return reported.refusal as never
    return c.json(reported.result, STATUS_OF[reported.result.result])
  })
  app.openapi(batch, async (c) => {
    const { events } = c.req.valid('json')
    return c.json({ results: await reportAll(farebox, events, (event) => trackInputOf(checked(EventInput, event))) }, 200)
  })
  // Described by hand: which schema its body has depends on the kind of body, and a binary one has none.
  app.openAPIRegistry.registerPath(cloudEvents)
  app.post(cloudEvents.path, async (c) => {
    checked(NoQuery, c.req.query())
    const events = await readCloudEvents(c.req.raw)
    const results = await reportAll(farebox, events, (event) => cloudTrackInputOf(checked(CloudEvent, event)), isStampedAgain)
    const refused = results.filter((each) => each.result === 'refused')
    if (refused.length === 0) return c.body(null, 204)
    const detail = `${refused.length} of ${results.length} events were not accepted, the others are counted: mend those and send them again.`
    return problemResponse(new Problem('events_refused', detail, { results }))
  })
}

const STATUS_OF = { recorded: 201, repeat: 200, queued: 202 } as const

/** What became of a reported event; `refusal` is the whole answer where the plan does not allow it. */
type Reported =
  | { readonly refusal: null; readonly result: EventResultJson & { result: keyof typeof STATUS_OF } }
  | { readonly refusal: Response; readonly result: EventResultJson & { problem: ProblemJson } }

async function report(farebox: Farebox, input: TrackInput, isRepeat: IsRepeat = never): Promise<Reported> {
  const tracked = await farebox.usage.track(input)
  switch (tracked.kind) {
    case 'recorded':
    case 'repeat':
      return { refusal: null, result: { result: tracked.kind, key: tracked.event.key } }
    case 'conflict':
      if (isRepeat(tracked.fields)) return { refusal: null, result: { result: 'repeat', key: tracked.event.key } }
      throw new Problem(
        'key_conflict',
        `Expected the event that was counted under ${tracked.event.key}, got another ${tracked.fields.join(', ')}: give a new event a new key.`,
        { fields: tracked.fields },
      )
    case 'queued':
      return { refusal: null, result: { result: tracked.kind, key: tracked.usage.id } }
    case 'refused': {
      const { refusal } = tracked
      const reply = refusalReply({ refusal, instance: input.idempotencyKey ?? 'event', actions: [], now: farebox.clock.now() })
      const problem = JSON.parse(reply.body) as ProblemJson
      const response = new Response(reply.body, {
        status: reply.status,
        headers: reply.headers.map(([name, value]) => [name, value]),
      })
      return { refusal: response, result: { result: 'refused', problem } }
    }
  }
}

/** Whether an event that differs in these fields from the one under its key is the same all the same. */
type IsRepeat = (fields: readonly string[]) => boolean

const never: IsRepeat = () => false

/**
 * A CloudEvent is the same one whenever its `source` and `id` are (CloudEvents 1.0, "id"), and OpenMeter's SDK stamps one
 * without a time anew on each try: the first time stands. Other units under the same id are still a conflict.
 */
const isStampedAgain: IsRepeat = ([field, ...others]) => field === 'timestamp' && others.length === 0

/** Side by side, so that they share commits; each with a result of its own. What keeps the store from answering fails them all. */
async function reportAll(
  farebox: Farebox,
  events: readonly unknown[],
  inputOf: (event: unknown) => TrackInput,
  isRepeat?: IsRepeat,
): Promise<EventResultJson[]> {
  return Promise.all(
    events.map(async (event): Promise<EventResultJson> => {
      try {
        return (await report(farebox, inputOf(event), isRepeat)).result
      } catch (error) {
        const problem = problemOf(error)
        if (problem === null || PROBLEMS[problem.code].status >= 500) throw error
        return { result: 'refused', problem: problemJson(problem) as ProblemJson }
      }
    }),
  )
}

function trackInputOf({
  customer,
  feature,
  value,
  idempotency_key: idempotencyKey,
  timestamp,
  properties,
  ...usage
}: EventBody): TrackInput {
  return {
    customerId: customer,
    feature: featureCode(feature),
    ...given({ value, idempotencyKey, timestamp, properties }),
    ...modelUsageOf(usage),
  }
}

/** The tokens that an event tells of. The engine refuses counts that are missing or wrong. */
function modelUsageOf(usage: ModelUsageBody): Partial<TrackInput> {
  const { model, provider, incomplete: isIncomplete, ...tokens } = usage
  const counts = {
    inputTokens: tokens.input_tokens,
    outputTokens: tokens.output_tokens,
    cacheReadTokens: tokens.cache_read_tokens,
    cacheWriteTokens: tokens.cache_write_tokens,
  }
  if (model === undefined && Object.values(usage).some((member) => member !== undefined))
    throw new Problem('invalid_model_usage', 'Expected the model whose tokens are counted, got none.')
  return given({ model, provider, isIncomplete, ...counts })
}

function cloudTrackInputOf(event: CloudEventBody): TrackInput {
  const { type, subject, time } = event
  const { value = 1, ...others } = event.data ?? {}
  if (typeof value !== 'number' && typeof value !== 'string')
    throw new Problem('invalid_quantity', `Expected data.value to be a number or a decimal string, got ${typeof value}.`)
  const properties = Object.fromEntries(
    Object.entries(others).filter((entry): entry is [string, string | number | boolean] => entry[1] !== null),
  )
  // A model alone is a property like any other; with both counts it says what is to be priced.
  const isOfModel = ['model', 'input_tokens', 'output_tokens'].every((name) => name in properties)
  return {
    customerId: subject,
    feature: featureCode(type),
    value,
    idempotencyKey: keyOf(event),
    ...(typeof time === 'string' ? { timestamp: time } : {}),
    ...(Object.keys(properties).length === 0 ? {} : { properties }),
    ...(isOfModel ? modelUsageOf(checked(ModelUsageData, properties)) : {}),
  }
}
