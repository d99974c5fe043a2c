/** `farebox/move`: everything that one store holds into another, as a function. */

export type { MoveDifference, MovedKind } from './findings.ts'
export { move } from './move.ts'
export type { MoveOptions, MoveProgress, MoveResult } from './move.ts'
