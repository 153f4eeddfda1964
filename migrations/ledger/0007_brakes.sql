-- What brakes look at, and what they held.

-- How many recipients a run was for, all its parts together; runs for chosen partners or roles have no row.
CREATE TABLE reach (
    run_id       BIGINT PRIMARY KEY NOT NULL REFERENCES run (id),
    n_recipients BIGINT NOT NULL
);

-- To whom the runs of a schedule were sent: the index answers it alone.
CREATE INDEX delivery_sent_to ON delivery (run_id, address_key) WHERE state = 'delivered';

-- What an edition that was made measures: its totals in millionths, its files in bytes.
CREATE TABLE measure (
    edition_id TEXT NOT NULL REFERENCES edition (id),
    kind       TEXT NOT NULL,            -- total, file
    name       TEXT NOT NULL,
    amount     BIGINT NOT NULL,
    PRIMARY KEY (edition_id, kind, name)
);

-- Every hold by a brake: of a run, or of one edition of it.
CREATE TABLE brake (
    id          INTEGER PRIMARY KEY NOT NULL,
    run_id      BIGINT NOT NULL REFERENCES run (id),
    edition_id  TEXT REFERENCES edition (id),
    brake       TEXT NOT NULL,           -- its key in the configuration
    measured    TEXT NOT NULL,
    allowed     TEXT NOT NULL,
    held_at     BIGINT NOT NULL,
    released_at BIGINT,
    released    TEXT                     -- by whom and why
);
CREATE INDEX brake_by_run ON brake (run_id, edition_id);

-- The digests: mails to the admin about runs that came to rest. States are those of deliveries.
CREATE TABLE digest (
    id             INTEGER PRIMARY KEY NOT NULL,
    address        TEXT NOT NULL,
    message_id     TEXT NOT NULL,
    subject        TEXT NOT NULL,
    body_text      TEXT NOT NULL,
    body_html      TEXT NOT NULL,
    state          TEXT NOT NULL,
    reason         TEXT NOT NULL,
    n_attempts     BIGINT NOT NULL DEFAULT 0,
    next_at        BIGINT,               -- when it may be tried; null: not before somebody moves it
    worker_id      BIGINT,
    lease_until_at BIGINT,
    receipt        TEXT,
    planned_at     BIGINT NOT NULL,
    moved_at       BIGINT NOT NULL,
    fence          BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX digest_open ON digest (state, next_at) WHERE state IN ('planned', 'retryable', 'sending', 'uncertain');

-- Which rests of which runs a digest tells. A run rests once a fence, and each rest is told to an address once.
CREATE TABLE digest_rest (
    address_key TEXT NOT NULL,
    run_id      BIGINT NOT NULL REFERENCES run (id),
    rest_no     BIGINT NOT NULL,         -- the run's fence when it came to rest
    digest_id   BIGINT NOT NULL REFERENCES digest (id),
    PRIMARY KEY (address_key, run_id, rest_no)
);

-- At which fence a run was last told, or passed over where nothing is told. What rested before is not told afterwards.
ALTER TABLE run ADD COLUMN told_fence BIGINT NOT NULL DEFAULT 0;
UPDATE run SET told_fence = fence;
CREATE INDEX run_untold ON run (id) WHERE told_fence <> fence;
