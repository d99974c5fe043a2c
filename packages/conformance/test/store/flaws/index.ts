/** Every flaw, each with the checks that must see it. */

import type { StoreFlaw } from '../broken.ts'
import { GRANT_FLAWS } from './grants.ts'
import { LIFE_FLAWS } from './life.ts'
import { LOG_FLAWS } from './log.ts'
import { RECORD_FLAWS } from './records.ts'
import { WRITING_FLAWS } from './writing.ts'

export const STORE_FLAWS: readonly StoreFlaw[] = [...WRITING_FLAWS, ...LOG_FLAWS, ...RECORD_FLAWS, ...GRANT_FLAWS, ...LIFE_FLAWS]
