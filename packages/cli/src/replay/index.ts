/** `farebox/replay`: an access log against a metered application, as a function. */

export { CommandError } from '../command-error.ts'
export { BYTES_HEADER, CLIENT_HEADER, STATUS_HEADER } from './headers.ts'
export { exitStatusOf } from '../exit-status.ts'
export { listen } from './server.ts'
export { replay } from './replay.ts'
export type { ReplayOptions, ReplayResult } from './replay.ts'
export type { CustomerReport, FeatureReport, ReplayReport, ReportedDifference } from './report.ts'
export { replayCommand } from './command.ts'
export type { ReplayCommandOptions } from './command.ts'
export { loadTarget } from './target.ts'
export type { ReplayContext, ReplayTarget } from './target.ts'
