/** @farebox/conformance: the suite that every adapter of Farebox passes. */

export * from './sample.ts'
export { adapterSuite } from './suite.ts'
export type { AdapterSuiteOptions } from './suite.ts'
export { CHECKS, SITUATIONS, TESTED_ELSEWHERE } from './checks/index.ts'
export { runCheck } from './check.ts'
export type { Check } from './check.ts'
export type { App, SampleChange, World, WorldOptions } from './world.ts'
export type { Answer, Call, Client, OpenRequest, Protocol } from './client.ts'
export type { Controls } from './controls.ts'
export type { BilledEvent, Ledger } from './ledger.ts'
