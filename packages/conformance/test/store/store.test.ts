/** The suite on the SQLite store. */

import { storeSuite } from '../../src/index.ts'
import { sqliteDatabase } from './sqlite-database.ts'

storeSuite({ name: 'SQLite', database: sqliteDatabase })
