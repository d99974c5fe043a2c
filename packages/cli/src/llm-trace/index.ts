/** `farebox/llm-trace`: the calls of an LLM trace billed on a prepaid balance, as a function. */

export { billTrace, DEFAULT_CUSTOMERS } from './bill.ts'
export type { TraceOptions, TraceResult } from './bill.ts'
export type { TraceCustomer, TraceReport } from './report.ts'
export { traceCommand } from './command.ts'
export type { TraceCommandOptions } from './command.ts'
