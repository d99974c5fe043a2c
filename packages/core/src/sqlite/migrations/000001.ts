/** The first schema. Tables that begin with `_` are private; the views without it are the public interface. */

/** Never edited once released: `test/structure` holds its hash. */
export const migration000001 = `
CREATE TABLE _catalogs (
  version TEXT PRIMARY KEY NOT NULL,
  document TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Names that repeat in every event, kept once: features and routes.
CREATE TABLE _labels (
  id INTEGER PRIMARY KEY,
  label TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE _customers (
  id INTEGER PRIMARY KEY,
  customer TEXT NOT NULL UNIQUE,
  name TEXT,
  email TEXT,
  time_zone TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  details TEXT
) STRICT;

-- One for each customer. The document says all of it; the columns are for the views, and for finding who is due.
CREATE TABLE _subscriptions (
  customer_id INTEGER PRIMARY KEY NOT NULL REFERENCES _customers (id),
  id TEXT NOT NULL,
  plan TEXT NOT NULL,
  catalog_version TEXT NOT NULL REFERENCES _catalogs (version),
  status TEXT NOT NULL CHECK (status IN ('pending_payment', 'trialing', 'active', 'past_due', 'canceled')),
  anchor INTEGER NOT NULL,
  starts_at INTEGER NOT NULL,
  ends_at INTEGER CHECK (ends_at > starts_at),
  next_moment INTEGER NOT NULL CHECK (next_moment >= 0),
  due_at INTEGER,
  document TEXT NOT NULL
) STRICT;

CREATE INDEX _subscriptions_due ON _subscriptions (due_at, customer_id) WHERE due_at IS NOT NULL;

CREATE TABLE _api_keys (
  id TEXT PRIMARY KEY NOT NULL,
  customer_id INTEGER NOT NULL REFERENCES _customers (id),
  name TEXT,
  secret_hash TEXT NOT NULL CHECK (length(secret_hash) = 64),
  created_at INTEGER NOT NULL,
  revoked_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX _api_keys_customer ON _api_keys (customer_id);

-- The event log. Appending touches one page, whatever the number of customers, because nothing but the row's own place is
-- indexed: an event says how many places back the one before it of the same total is (all of them when it is the first), and the total
-- points to its newest. The total also says whose it is, of which
-- feature and period, in three bytes instead of ten. What was charged and which event is corrected is null for most of them.
CREATE TABLE _events (
  seq INTEGER PRIMARY KEY,
  total_id INTEGER NOT NULL,
  quantity INTEGER NOT NULL,
  at INTEGER NOT NULL,
  back INTEGER NOT NULL CHECK (back > 0),
  route_id INTEGER,
  key TEXT NOT NULL,
  properties TEXT,
  charge TEXT,
  corrects INTEGER CHECK (corrects < seq),
  CHECK (quantity >= 0 OR corrects IS NOT NULL)
) STRICT;

CREATE TRIGGER _events_never_change BEFORE UPDATE ON _events
BEGIN SELECT RAISE(ABORT, 'the event log is append-only: a correction is an event of its own'); END;

CREATE TRIGGER _events_never_go BEFORE DELETE ON _events
BEGIN SELECT RAISE(ABORT, 'the event log is append-only: a correction is an event of its own'); END;

-- Keys that callers gave, for ever. Keys that Farebox made are used once by their making and need no index.
CREATE TABLE _event_keys (
  customer_id INTEGER NOT NULL,
  key TEXT NOT NULL,
  seq INTEGER NOT NULL,
  PRIMARY KEY (customer_id, key)
) STRICT, WITHOUT ROWID;

-- What the log holds per customer, feature and usage period, written in the same transaction as its events.
-- invoice_id is null until a final invoice holds it; what comes later is the next round of the period, for a later invoice.
-- Amounts are exact decimals.
CREATE TABLE _totals (
  id INTEGER PRIMARY KEY,
  customer_id INTEGER NOT NULL,
  feature_id INTEGER NOT NULL,
  period_start INTEGER NOT NULL,
  round INTEGER NOT NULL CHECK (round >= 0),
  quantity INTEGER NOT NULL CHECK (quantity >= 0 OR round > 0),
  events INTEGER NOT NULL CHECK (events >= 0),
  cost TEXT NOT NULL DEFAULT '0',
  uncovered TEXT NOT NULL DEFAULT '0',
  last_seq INTEGER NOT NULL,
  invoice_id TEXT,
  UNIQUE (customer_id, feature_id, period_start, round)
) STRICT;

CREATE UNIQUE INDEX _totals_open ON _totals (customer_id, feature_id, period_start) WHERE invoice_id IS NULL;

-- Grants, payments and usage without a price, each as a document of its kind. Open ones are part of the account's state.
CREATE TABLE _records (
  place INTEGER PRIMARY KEY,
  customer_id INTEGER NOT NULL REFERENCES _customers (id),
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  is_open INTEGER NOT NULL CHECK (is_open IN (0, 1)),
  document TEXT NOT NULL,
  UNIQUE (customer_id, kind, id)
) STRICT;

CREATE INDEX _records_open ON _records (customer_id, place) WHERE is_open = 1;
CREATE INDEX _records_customer ON _records (customer_id, kind, place);
CREATE INDEX _records_kind ON _records (kind, place);
CREATE INDEX _records_kind_open ON _records (kind, place) WHERE is_open = 1;

-- Pending reservations, one row for all that one commit admitted; the row goes when the last of them is settled. Each is an
-- array: key, customer, feature, quantity, at, route, start of its period; and where there are any, what it holds of
-- credits or a balance, and the most that it may use of an AI model.
CREATE TABLE _reservations (
  id INTEGER PRIMARY KEY,
  process TEXT NOT NULL,
  reservations TEXT NOT NULL
) STRICT;

-- How many of each counter were taken that all customers share.
CREATE TABLE _counters (
  counter TEXT PRIMARY KEY NOT NULL,
  taken INTEGER NOT NULL CHECK (taken > 0)
) STRICT, WITHOUT ROWID;

-- The last number taken in each series of invoices.
CREATE TABLE _series (
  series TEXT PRIMARY KEY NOT NULL,
  last INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE _invoices (
  seq INTEGER PRIMARY KEY,
  customer_id INTEGER NOT NULL REFERENCES _customers (id),
  id TEXT NOT NULL UNIQUE,
  status TEXT NOT NULL CHECK (status IN ('draft', 'open', 'paid', 'void', 'uncollectible')),
  series TEXT,
  number INTEGER,
  document TEXT NOT NULL,
  UNIQUE (customer_id, id),
  UNIQUE (series, number),
  CHECK ((status = 'draft') = (number IS NULL)),
  CHECK ((series IS NULL) = (number IS NULL))
) STRICT;

CREATE TRIGGER _invoices_final_never_change BEFORE UPDATE ON _invoices
WHEN old.number IS NOT NULL AND (old.document <> new.document OR old.number <> new.number OR old.series <> new.series)
BEGIN SELECT RAISE(ABORT, 'a final invoice never changes'); END;

CREATE VIEW customers AS
SELECT c.customer, c.name, c.email, c.time_zone, c.created_at, c.details,
       s.id AS subscription, s.plan, s.status, s.catalog_version, s.anchor, s.starts_at, s.ends_at
FROM _customers c LEFT JOIN _subscriptions s ON s.customer_id = c.id;

CREATE VIEW events AS
SELECT e.seq, c.customer, f.label AS feature, t.period_start AS period_start_ms, e.quantity AS quantity_millionths,
       printf('%s%d.%06d', iif(e.quantity < 0, '-', ''), abs(e.quantity) / 1000000, abs(e.quantity) % 1000000) AS quantity,
       e.at AS at_ms, strftime('%Y-%m-%dT%H:%M:%fZ', e.at / 1000.0, 'unixepoch') AS at, r.label AS route, e.key, e.properties,
       e.charge, e.corrects
FROM _events e
JOIN _totals t ON t.id = e.total_id
JOIN _customers c ON c.id = t.customer_id
JOIN _labels f ON f.id = t.feature_id
LEFT JOIN _labels r ON r.id = e.route_id;

CREATE VIEW totals AS
SELECT c.customer, f.label AS feature, t.period_start AS period_start_ms, t.round, t.quantity AS quantity_millionths,
       printf('%s%d.%06d', iif(t.quantity < 0, '-', ''), abs(t.quantity) / 1000000, abs(t.quantity) % 1000000) AS quantity,
       t.events, t.cost, t.uncovered, t.invoice_id AS invoice
FROM _totals t
JOIN _customers c ON c.id = t.customer_id
JOIN _labels f ON f.id = t.feature_id;

CREATE VIEW records AS
SELECT c.customer, r.kind, r.id, r.is_open, r.document
FROM _records r JOIN _customers c ON c.id = r.customer_id;

CREATE VIEW grants AS
SELECT c.customer, r.id, r.document ->> 'unit' AS unit, r.document ->> 'source' AS source, r.document ->> 'granted' AS granted,
       r.document ->> 'used' AS used, r.document ->> 'revoked' AS revoked, r.document ->> 'expiresAt' AS expires_at, r.is_open
FROM _records r JOIN _customers c ON c.id = r.customer_id
WHERE r.kind = 'grant';

CREATE VIEW counters AS
SELECT counter, taken FROM _counters;

CREATE VIEW reservations AS
SELECT r.process, j.value ->> 0 AS key, j.value ->> 1 AS customer, j.value ->> 2 AS feature,
       CAST(j.value ->> 3 AS INTEGER) AS quantity_millionths, j.value ->> 4 AS at_ms, j.value ->> 7 AS charge
FROM _reservations r, json_each(r.reservations) j;

CREATE VIEW invoices AS
SELECT i.id, c.customer, i.status, i.series, i.number, i.document
FROM _invoices i JOIN _customers c ON c.id = i.customer_id;
`
