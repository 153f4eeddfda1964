-- Which cadence a schedule had from when to when, as JSON of the schedule's making. A cadence stands until a daemon sees
-- another in its place: what it named until then has its rows, whatever the configuration says later.
CREATE TABLE era (
    schedule TEXT NOT NULL,
    from_at  BIGINT NOT NULL,
    until_at BIGINT,                     -- null: in force
    timing   TEXT NOT NULL,              -- empty: it was written down in words, by an earlier program
    PRIMARY KEY (schedule, from_at)
);
INSERT INTO era (schedule, from_at, timing) SELECT name, since_at, '' FROM schedule;
DROP TABLE schedule;

-- A run may have further parts: for partners whose data was not full when the others' was.
ALTER TABLE run ADD COLUMN of_run BIGINT REFERENCES run (id);
ALTER TABLE run ADD COLUMN part BIGINT NOT NULL DEFAULT 1;
ALTER TABLE run ADD COLUMN start_at BIGINT;
ALTER TABLE run ADD COLUMN deadline_at BIGINT;
CREATE UNIQUE INDEX run_part ON run (of_run, part) WHERE of_run IS NOT NULL;

-- How often the worker that made an edition was gone before it said how that went.
ALTER TABLE edition ADD COLUMN n_broken_off BIGINT NOT NULL DEFAULT 0;

-- The runs that have something open, asked at each beat: by equality, since a scan of another index looks as cheap.
CREATE INDEX edition_open ON edition (state, run_id) WHERE state IN ('planned', 'making');
CREATE INDEX delivery_under_way ON delivery (state, run_id) WHERE state = 'sending';

-- What a run waits for, or waited for last.
CREATE TABLE lack (
    run_id     BIGINT NOT NULL REFERENCES run (id),
    partner_id TEXT NOT NULL,
    what       TEXT NOT NULL,
    PRIMARY KEY (run_id, partner_id)
);
CREATE INDEX lack_by_partner ON lack (partner_id);

-- Who got nothing by a run, and by which rule. An empty address: the partner as a whole.
CREATE TABLE exclusion (
    run_id      BIGINT NOT NULL REFERENCES run (id),
    partner_id  TEXT NOT NULL,
    address     TEXT NOT NULL,
    address_key TEXT NOT NULL,
    role        TEXT NOT NULL,
    rule        TEXT NOT NULL,
    PRIMARY KEY (run_id, partner_id, address_key, role)
);
CREATE INDEX exclusion_by_address ON exclusion (address_key);
CREATE INDEX exclusion_by_partner ON exclusion (partner_id);
