-- The same content may be exported again: what was exported before a month was closed says nothing of it, and the same
-- rows exported after it do.
CREATE TABLE loads_again (
    load_no BIGINT NOT NULL PRIMARY KEY,
    source BIGINT NOT NULL,
    file_name TEXT NOT NULL,
    digest TEXT NOT NULL,           -- SHA-256 of the decompressed file
    partner_from TEXT NOT NULL,     -- account or reseller
    exported_at TEXT NOT NULL,
    loaded_at TEXT NOT NULL,
    n_rows BIGINT NOT NULL,         -- stored
    n_left_out BIGINT NOT NULL,     -- not stored, for the reasons in remarks
    UNIQUE (digest, partner_from, exported_at)
);
INSERT INTO loads_again SELECT * FROM loads;
DROP TABLE loads;
ALTER TABLE loads_again RENAME TO loads;
