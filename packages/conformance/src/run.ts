/** Running a check in a world that is made for it and ended after it. */

import { inTime, type Waiting } from './until.ts'

/** Rejects with what the check says, or else with what ending its world says. */
export async function runIn<World extends { end(): Promise<void> }>(
  world: World,
  waiting: Waiting,
  run: (world: World) => Promise<void>,
): Promise<void> {
  try {
    await inTime(waiting, run(world))
  } catch (error) {
    // What failed first says more than what an audit finds after it.
    await world.end().catch(() => {})
    throw error
  }
  await world.end()
}
