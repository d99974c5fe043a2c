/** @farebox/core/http: what an adapter is written against. */

export type {
  Gate,
  HeaderList,
  MeterContext,
  MeteredRequest,
  MeterOptions,
  ModelUsageReport,
  Outcome,
  Reply,
  Ticket,
  Verdict,
} from './contract.ts'
export { enter, passageOf } from './node.ts'
export type { NodeResponse, Passage } from './node.ts'
export { enterFetch, meterFetch, meterOf, responseOf } from './fetch.ts'
export type { FetchHandler, FetchMeterOptions } from './fetch.ts'
export { PROBLEMS } from './problem.ts'
export type { Action, EdgeCode } from './problem.ts'
export { defaultFarebox } from '../default-farebox.ts'
export type { Farebox } from '../farebox.ts'
export type { FeatureCode } from '../catalog/catalog.ts'
export { FareboxError } from '../errors.ts'
export type { QuantityInput } from '../values/quantity.ts'
