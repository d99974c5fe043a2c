/** The first schema. Tables that begin with `_` are private; the views without it are the public interface. */

/**
 * Never edited once released: `test/structure` holds its hash. Every primary and unique key begins with the account, so that
 * the tables can be distributed by it; tables without an account are small and are copied to every node.
 * `{name}` stands for a private table, sequence or function, `{=name}` for its name without the schema, `{@name}` for a public view.
 */
export const migration000001 = `
CREATE TABLE {catalogs} (
  version text COLLATE "C" PRIMARY KEY,
  document text NOT NULL
);

-- The row that a change of an account locks. version counts its changes, so that what a process remembers can be checked;
-- last_seq is the place of its newest event. The place is null until the customer is written.
CREATE TABLE {accounts} (
  customer text COLLATE "C" PRIMARY KEY,
  version bigint NOT NULL DEFAULT 0,
  last_seq bigint NOT NULL DEFAULT 0,
  place bigint,
  name text,
  email text,
  time_zone text,
  created_at bigint,
  details text,
  CHECK ((place IS NULL) = (time_zone IS NULL) AND (place IS NULL) = (created_at IS NULL))
) WITH (fillfactor = 70);

CREATE SEQUENCE {places};
CREATE INDEX {=accounts_place} ON {accounts} (place) WHERE place IS NOT NULL;

-- One for each customer. The document says all of it; the columns are for the views, and for finding who is due.
CREATE TABLE {subscriptions} (
  customer text COLLATE "C" PRIMARY KEY,
  id text COLLATE "C" NOT NULL,
  plan text NOT NULL,
  catalog_version text NOT NULL,
  status text NOT NULL CHECK (status IN ('pending_payment', 'trialing', 'active', 'past_due', 'canceled')),
  anchor bigint NOT NULL,
  starts_at bigint NOT NULL,
  ends_at bigint CHECK (ends_at > starts_at),
  next_moment bigint NOT NULL CHECK (next_moment >= 0),
  due_at bigint,
  place bigint NOT NULL,
  document text NOT NULL
);

-- Those that are due at once come in the order of their customers' places, read from the index.
CREATE INDEX {=subscriptions_due} ON {subscriptions} (due_at, place) WHERE due_at IS NOT NULL;

CREATE TABLE {api_keys} (
  customer text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  name text,
  secret_hash text NOT NULL CHECK (length(secret_hash) = 64),
  created_at bigint NOT NULL,
  revoked_at bigint,
  PRIMARY KEY (customer, id)
);

CREATE INDEX {=api_keys_id} ON {api_keys} (id);

-- The event log, a partition for each month (UTC). An account's events are numbered without gaps by the account's lock.
CREATE TABLE {events} (
  customer text COLLATE "C" NOT NULL,
  seq bigint NOT NULL CHECK (seq > 0),
  feature text COLLATE "C" NOT NULL,
  period_start bigint NOT NULL,
  quantity bigint NOT NULL,
  at bigint NOT NULL,
  route text,
  key text COLLATE "C" NOT NULL,
  properties json,
  charge text,
  corrects bigint CHECK (corrects < seq),
  PRIMARY KEY (customer, seq, at),
  CHECK (at >= period_start),
  CHECK (quantity >= 0 OR corrects IS NOT NULL)
) PARTITION BY RANGE (at);

CREATE INDEX {=events_total} ON {events} (customer, feature, period_start, seq);

CREATE FUNCTION {refuse}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '%', TG_ARGV[0]; END $$;

CREATE TRIGGER {=events_never_change} BEFORE UPDATE OR DELETE ON {events} FOR EACH ROW
EXECUTE FUNCTION {refuse}('the event log is append-only: a correction is an event of its own');

-- Keys that callers gave, for ever. The document is the event itself, once the partition it was in is gone.
CREATE TABLE {event_keys} (
  customer text COLLATE "C" NOT NULL,
  key text COLLATE "C" NOT NULL,
  seq bigint NOT NULL,
  at bigint NOT NULL,
  document json,
  PRIMARY KEY (customer, key)
);

-- What the log holds per customer, feature and usage period, written in the same transaction as its events.
-- invoice_id is null until a final invoice holds it; what comes later is the next round of the period, for a later invoice.
-- The rounds of a period follow one another: each has the events from its first place to its last. Amounts are exact decimals.
CREATE TABLE {totals} (
  customer text COLLATE "C" NOT NULL,
  feature text COLLATE "C" NOT NULL,
  period_start bigint NOT NULL,
  first_seq bigint NOT NULL,
  quantity bigint NOT NULL,
  events bigint NOT NULL CHECK (events >= 0),
  cost text NOT NULL,
  uncovered text NOT NULL,
  last_seq bigint NOT NULL,
  invoice_id text COLLATE "C",
  PRIMARY KEY (customer, feature, period_start, first_seq)
) WITH (fillfactor = 70);

CREATE UNIQUE INDEX {=totals_open} ON {totals} (customer, feature, period_start) WHERE invoice_id IS NULL;

CREATE TRIGGER {=totals_final_never_change} AFTER UPDATE ON {totals} FOR EACH ROW
WHEN (OLD.invoice_id IS NOT NULL)
EXECUTE FUNCTION {refuse}('usage of a final invoice never changes');

-- What a dropped partition held, so that a total can still be counted again. month is the partition's name.
CREATE TABLE {sealed} (
  customer text COLLATE "C" NOT NULL,
  feature text COLLATE "C" NOT NULL,
  period_start bigint NOT NULL,
  first_seq bigint NOT NULL,
  month text NOT NULL,
  quantity bigint NOT NULL,
  events bigint NOT NULL,
  cost numeric NOT NULL,
  uncovered numeric NOT NULL,
  PRIMARY KEY (customer, feature, period_start, first_seq, month)
);

CREATE SEQUENCE {record_places};

-- Grants, payments and usage without a price, each as a document of its kind. Open ones are part of the account's state.
CREATE TABLE {records} (
  customer text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  place bigint NOT NULL DEFAULT nextval('{record_places}'),
  is_open boolean NOT NULL,
  document text NOT NULL,
  PRIMARY KEY (customer, kind, id)
) WITH (fillfactor = 70);

CREATE INDEX {=records_open} ON {records} (customer, place) WHERE is_open;
CREATE INDEX {=records_customer} ON {records} (customer, kind, place);
CREATE INDEX {=records_kind} ON {records} (kind, place);
CREATE INDEX {=records_kind_open} ON {records} (kind, place) WHERE is_open;

-- Pending reservations, with what each holds of credits or a balance, and the most that it may use of an AI model.
CREATE TABLE {reservations} (
  customer text COLLATE "C" NOT NULL,
  key text COLLATE "C" NOT NULL,
  process text NOT NULL,
  feature text NOT NULL,
  quantity bigint NOT NULL,
  at bigint NOT NULL,
  route text,
  period_start bigint NOT NULL,
  charge text,
  usage json,
  PRIMARY KEY (customer, key)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

-- One row for each connection that writes: the number of its last committed batch, and when it was last heard of.
CREATE TABLE {lanes} (
  process text COLLATE "C" NOT NULL,
  lane integer NOT NULL,
  batch bigint NOT NULL,
  seen_at timestamptz NOT NULL,
  PRIMARY KEY (process, lane)
) WITH (fillfactor = 10, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- How many of each counter were taken that all customers share.
CREATE TABLE {counters} (
  counter text COLLATE "C" PRIMARY KEY,
  taken bigint NOT NULL CHECK (taken > 0)
);

-- The last number taken in each series of invoices.
CREATE TABLE {series} (
  series text COLLATE "C" PRIMARY KEY,
  last bigint NOT NULL
);

CREATE SEQUENCE {invoice_places};

CREATE TABLE {invoices} (
  customer text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  place bigint NOT NULL DEFAULT nextval('{invoice_places}'),
  status text NOT NULL CHECK (status IN ('draft', 'open', 'paid', 'void', 'uncollectible')),
  series text COLLATE "C",
  number bigint,
  document text NOT NULL,
  PRIMARY KEY (customer, id),
  CHECK ((status = 'draft') = (number IS NULL)),
  CHECK ((series IS NULL) = (number IS NULL))
);

-- Numbers are unique because a series gives each once, under its lock.
CREATE INDEX {=invoices_place} ON {invoices} (place);
CREATE INDEX {=invoices_id} ON {invoices} (id);
CREATE INDEX {=invoices_number} ON {invoices} (series, number) WHERE number IS NOT NULL;

CREATE TRIGGER {=invoices_final_never_change} BEFORE UPDATE ON {invoices} FOR EACH ROW
WHEN (OLD.number IS NOT NULL AND (OLD.document <> NEW.document OR OLD.number <> NEW.number OR OLD.series <> NEW.series))
EXECUTE FUNCTION {refuse}('a final invoice never changes');

CREATE VIEW {@customers} AS
SELECT a.customer, a.name, a.email, a.time_zone, a.created_at, a.details,
       s.id AS subscription, s.plan, s.status, s.catalog_version, s.anchor, s.starts_at, s.ends_at
FROM {accounts} a LEFT JOIN {subscriptions} s ON s.customer = a.customer WHERE a.place IS NOT NULL;

CREATE VIEW {@events} AS
SELECT seq, customer, feature, period_start AS period_start_ms, quantity AS quantity_millionths,
       CASE WHEN quantity < 0 THEN '-' ELSE '' END
         || (abs(quantity) / 1000000)::text || '.' || lpad((abs(quantity) % 1000000)::text, 6, '0') AS quantity,
       at AS at_ms, to_char(to_timestamp(at / 1000.0) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS at,
       route, key, properties::text AS properties, charge, corrects
FROM {events};

CREATE VIEW {@totals} AS
SELECT customer, feature, period_start AS period_start_ms,
       row_number() OVER (PARTITION BY customer, feature, period_start ORDER BY first_seq) - 1 AS round,
       quantity AS quantity_millionths,
       CASE WHEN quantity < 0 THEN '-' ELSE '' END
         || (abs(quantity) / 1000000)::text || '.' || lpad((abs(quantity) % 1000000)::text, 6, '0') AS quantity,
       events, cost, uncovered, invoice_id AS invoice
FROM {totals};

CREATE VIEW {@records} AS
SELECT customer, kind, id, is_open::integer AS is_open, document FROM {records};

CREATE VIEW {@grants} AS
SELECT customer, id, document::json ->> 'unit' AS unit, document::json ->> 'source' AS source,
       document::json ->> 'granted' AS granted, document::json ->> 'used' AS used, document::json ->> 'revoked' AS revoked,
       (document::json ->> 'expiresAt')::bigint AS expires_at, is_open::integer AS is_open
FROM {records} WHERE kind = 'grant';

CREATE VIEW {@counters} AS
SELECT counter, taken FROM {counters};

CREATE VIEW {@reservations} AS
SELECT process, key, customer, feature, quantity AS quantity_millionths, at AS at_ms, charge FROM {reservations};

CREATE VIEW {@invoices} AS
SELECT id, customer, status, series, number, document FROM {invoices};
`
