/** The tables of a spool file. Numbered by `user_version`; a file of a newer number is not touched. */

import type { Database } from 'better-sqlite3'
import { FareboxError } from '../errors.ts'

/** 'FASP' in ASCII, in the header of every spool. Source: SQLite `PRAGMA application_id`. */
const APPLICATION_ID = 0x46415350

const VERSION = 1

/**
 * An id is never given twice (AUTOINCREMENT): a process that read an event and deletes it after delivery must not hit one
 * that came later. Each event names the store that it is for, so that two applications in one folder never bill each
 * other's customers. Triggers count, because counting a million rows would stop the event loop. The views are what an operator
 * works with: those of `events` can be given to another store, and those of `rejected` given up.
 */
const SCHEMA = `
CREATE TABLE _stores (
  id INTEGER PRIMARY KEY,
  location TEXT NOT NULL UNIQUE,
  events INTEGER NOT NULL DEFAULT 0,
  rejected INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE _events (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  store_id INTEGER NOT NULL REFERENCES _stores,
  customer_id TEXT NOT NULL,
  feature TEXT NOT NULL,
  quantity INTEGER NOT NULL,
  at INTEGER NOT NULL,
  key TEXT NOT NULL,
  route TEXT,
  properties TEXT
) STRICT;

CREATE INDEX _events_in_order ON _events (store_id, id);

CREATE TABLE _rejected (
  id INTEGER PRIMARY KEY,
  store_id INTEGER NOT NULL REFERENCES _stores,
  customer_id TEXT NOT NULL,
  feature TEXT NOT NULL,
  quantity INTEGER NOT NULL,
  at INTEGER NOT NULL,
  key TEXT NOT NULL,
  route TEXT,
  properties TEXT,
  code TEXT NOT NULL,
  message TEXT NOT NULL
) STRICT;

CREATE TRIGGER _event_in AFTER INSERT ON _events BEGIN
  UPDATE _stores SET events = events + 1 WHERE id = NEW.store_id;
END;
CREATE TRIGGER _event_out AFTER DELETE ON _events BEGIN
  UPDATE _stores SET events = events - 1 WHERE id = OLD.store_id;
END;
CREATE TRIGGER _rejected_in AFTER INSERT ON _rejected BEGIN
  UPDATE _stores SET rejected = rejected + 1 WHERE id = NEW.store_id;
END;
CREATE TRIGGER _rejected_out AFTER DELETE ON _rejected BEGIN
  UPDATE _stores SET rejected = rejected - 1 WHERE id = OLD.store_id;
END;

CREATE TRIGGER _event_moved AFTER UPDATE OF store_id ON _events BEGIN
  UPDATE _stores SET events = events - 1 WHERE id = OLD.store_id;
  UPDATE _stores SET events = events + 1 WHERE id = NEW.store_id;
END;

CREATE VIEW events AS
  SELECT _events.id, location AS store, customer_id, feature, quantity, at, key, route, properties
  FROM _events JOIN _stores ON _stores.id = store_id;
CREATE VIEW rejected AS
  SELECT _rejected.id, location AS store, customer_id, feature, quantity, at, key, route, properties, code, message
  FROM _rejected JOIN _stores ON _stores.id = store_id;

CREATE TRIGGER _move_events INSTEAD OF UPDATE OF store ON events BEGIN
  INSERT INTO _stores (location) SELECT NEW.store WHERE NOT EXISTS (SELECT 1 FROM _stores WHERE location = NEW.store);
  UPDATE _events SET store_id = (SELECT id FROM _stores WHERE location = NEW.store) WHERE id = OLD.id;
END;
CREATE TRIGGER _give_up_rejected INSTEAD OF DELETE ON rejected BEGIN
  DELETE FROM _rejected WHERE id = OLD.id;
END;
`

/** Makes the tables where there are none. Throws `store_unsupported` for a file that is no spool, or one of a newer Farebox. */
export function prepareSpoolTables(db: Database): void {
  if (isPrepared(db)) return
  // The write lock is taken before anything is looked at, so that of many processes one makes the tables and the others find them.
  db.exec('BEGIN IMMEDIATE')
  try {
    if (!isPrepared(db)) {
      db.exec(SCHEMA)
      db.pragma(`application_id = ${APPLICATION_ID}`)
      db.pragma(`user_version = ${VERSION}`)
    }
    db.exec('COMMIT')
  } catch (error) {
    if (db.inTransaction) db.exec('ROLLBACK')
    throw error
  }
}

function isPrepared(db: Database): boolean {
  const id = Number(db.pragma('application_id', { simple: true }))
  const version = Number(db.pragma('user_version', { simple: true }))
  if (id === APPLICATION_ID && version === VERSION) return true
  const tables = Number(db.prepare<[], bigint | number>('SELECT count(*) FROM sqlite_schema').pluck().get())
  if (id === 0 && tables === 0) return false
  const found =
    id === APPLICATION_ID ? `a spool of version ${version}` : `another database (application_id ${id}, ${tables} tables)`
  throw new FareboxError(
    'store_unsupported',
    `Expected an empty file or a spool of version ${VERSION}, found ${found}: give the spool a file of its own, or update Farebox`,
    { fields: { applicationId: id, version, tables } },
  )
}
