-- The ledger: what was planned, made and sent.
--
-- Instants are whole microseconds since 1970-01-01 UTC, bound by the program: they sort as numbers and mean the
-- same in every database. States are the words of the program's tables of states. No triggers, no defaults that
-- ask for the time.

CREATE TABLE meta (
    key   TEXT PRIMARY KEY NOT NULL,
    value TEXT NOT NULL
);

-- Counters are rows, so that a number given once is never given again.
CREATE TABLE counter (
    name TEXT PRIMARY KEY NOT NULL,
    last BIGINT NOT NULL
);
INSERT INTO meta (key, value) VALUES ('kind', 'pressrun ledger');
INSERT INTO counter (name, last) VALUES ('worker', 0);

-- One row a process that ever claimed; it holds a lock on a file beside the ledger while it lives.
CREATE TABLE worker (
    id         BIGINT PRIMARY KEY NOT NULL,
    started_at BIGINT NOT NULL,
    ended_at   BIGINT
);
CREATE INDEX worker_alive ON worker (id) WHERE ended_at IS NULL;

CREATE TABLE schedule (
    name          TEXT PRIMARY KEY NOT NULL,
    first_seen_at BIGINT NOT NULL
);

CREATE TABLE run (
    id            INTEGER PRIMARY KEY NOT NULL,
    schedule      TEXT NOT NULL,
    occurrence_at BIGINT,                -- null: by hand
    period        TEXT NOT NULL,
    data          TEXT NOT NULL,         -- the pinned data set, opaque here
    config_digest TEXT NOT NULL,
    why           TEXT NOT NULL,
    state         TEXT NOT NULL,
    reason        TEXT NOT NULL,
    planned_at    BIGINT NOT NULL,
    moved_at      BIGINT NOT NULL,
    fence         BIGINT NOT NULL DEFAULT 0,
    UNIQUE (schedule, occurrence_at)
);
CREATE INDEX run_by_state ON run (state);

CREATE TABLE edition (
    id             TEXT PRIMARY KEY NOT NULL,
    run_id         BIGINT NOT NULL REFERENCES run (id),
    partner_id     TEXT NOT NULL,
    partner_name   TEXT NOT NULL,
    audience       TEXT NOT NULL,        -- JSON
    number         BIGINT NOT NULL,
    period         TEXT NOT NULL,
    state          TEXT NOT NULL,
    reason         TEXT NOT NULL,
    n_attempts     BIGINT NOT NULL DEFAULT 0,
    worker_id      BIGINT,
    lease_until_at BIGINT,
    archive_path   TEXT,
    manifest       TEXT,
    planned_at     BIGINT NOT NULL,
    moved_at       BIGINT NOT NULL,
    released_at    BIGINT,
    fence          BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX edition_by_run ON edition (run_id, state, partner_id, id);
CREATE INDEX edition_planned ON edition (run_id, partner_id, id) WHERE state = 'planned';
CREATE INDEX edition_making ON edition (lease_until_at) WHERE state = 'making';
CREATE INDEX edition_by_partner ON edition (partner_id, period);

CREATE TABLE delivery (
    id             INTEGER PRIMARY KEY NOT NULL,
    edition_id     TEXT NOT NULL REFERENCES edition (id),
    run_id         BIGINT NOT NULL REFERENCES run (id),
    address        TEXT NOT NULL,
    address_key    TEXT NOT NULL,        -- the address in lower case
    name           TEXT NOT NULL,
    message_id     TEXT NOT NULL,
    destination    TEXT NOT NULL,
    state          TEXT NOT NULL,
    reason         TEXT NOT NULL,
    n_attempts     BIGINT NOT NULL DEFAULT 0,
    next_at        BIGINT,               -- when it may be tried; null: not before somebody moves it
    worker_id      BIGINT,
    lease_until_at BIGINT,
    receipt        TEXT,
    planned_at     BIGINT NOT NULL,
    moved_at       BIGINT NOT NULL,
    fence          BIGINT NOT NULL DEFAULT 0,
    UNIQUE (edition_id, address_key)
);
CREATE INDEX delivery_claimable ON delivery (destination, next_at, id) WHERE next_at IS NOT NULL;
CREATE INDEX delivery_sending ON delivery (lease_until_at) WHERE state = 'sending';
CREATE INDEX delivery_uncertain ON delivery (run_id) WHERE state = 'uncertain';
CREATE INDEX delivery_by_run ON delivery (run_id, state);
CREATE INDEX delivery_by_address ON delivery (address_key);

CREATE TABLE attempt (
    delivery_id BIGINT NOT NULL REFERENCES delivery (id),
    attempt_no  BIGINT NOT NULL,
    worker_id   BIGINT NOT NULL,
    started_at  BIGINT NOT NULL,
    ended_at    BIGINT,
    outcome     TEXT,
    reason      TEXT,
    PRIMARY KEY (delivery_id, attempt_no)
);

-- Every move of a row, in order: who moved it, from where to where, and why.
CREATE TABLE move (
    id         INTEGER PRIMARY KEY NOT NULL,
    row_kind   TEXT NOT NULL,
    row_id     TEXT NOT NULL,
    from_state TEXT NOT NULL,
    to_state   TEXT NOT NULL,
    reason     TEXT NOT NULL,
    at         BIGINT NOT NULL,
    worker_id  BIGINT
);
CREATE INDEX move_by_row ON move (row_kind, row_id, id);
