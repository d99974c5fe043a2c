/** The suite on the PostgreSQL store. */

import { storeSuite } from '@farebox/conformance'
import { suiteDatabase } from './suite-database.ts'

storeSuite({ name: 'PostgreSQL', database: suiteDatabase })
