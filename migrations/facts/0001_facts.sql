-- License facts as they were loaded. A load is never edited: what supersedes it has a higher number.
-- Instants are RFC 3339 texts in UTC, months are numbers like 202610, quantities are millionths.

CREATE TABLE sources (
    source BIGINT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL
);
INSERT INTO sources (source, name) VALUES
    (1, 'SeatsSubscriptionsAndRevenue'),
    (2, 'DynamicsUsage'),
    (3, 'PowerBIUsage'),
    (4, 'EMSUsage'),
    (5, 'OfficeUsage'),
    (6, 'ResellerPerformance');

-- The number of the newest load; raised in the transaction that commits the load.
CREATE TABLE load_counter (
    one BIGINT NOT NULL PRIMARY KEY CHECK (one = 1),
    load_no BIGINT NOT NULL
);
INSERT INTO load_counter (one, load_no) VALUES (1, 0);

CREATE TABLE loads (
    load_no BIGINT NOT NULL PRIMARY KEY,
    source BIGINT NOT NULL,
    file_name TEXT NOT NULL,
    digest TEXT NOT NULL,           -- SHA-256 of the decompressed file
    partner_from TEXT NOT NULL,     -- account or reseller
    exported_at TEXT NOT NULL,
    loaded_at TEXT NOT NULL,
    n_rows BIGINT NOT NULL,         -- stored
    n_left_out BIGINT NOT NULL,     -- not stored, for the reasons in remarks
    UNIQUE (digest, partner_from)
);

-- What one load can supersede of another.
CREATE TABLE slices (
    partner_id TEXT NOT NULL,
    month BIGINT NOT NULL,
    source BIGINT NOT NULL,
    load_no BIGINT NOT NULL,
    exported_at TEXT NOT NULL,
    carried BIGINT NOT NULL,        -- a bit per measure that the file has a column for
    product TEXT NOT NULL,          -- the one family the source speaks of; empty for all
    account_id TEXT NOT NULL,       -- where the partner is a reseller: the account whose file it is; else empty
    n_rows BIGINT NOT NULL,
    PRIMARY KEY (partner_id, month, source, load_no)
) WITHOUT ROWID;

-- What a row says apart from its month and figures. The same line stands for many months.
CREATE TABLE lines (
    partner_id TEXT NOT NULL,
    line_no BIGINT NOT NULL,        -- the first eight bytes of the digest
    digest BLOB NOT NULL,           -- of all the other columns
    location_id TEXT,
    location_name TEXT,
    customer_id TEXT,
    customer_name TEXT,
    customer_market TEXT NOT NULL,
    product TEXT NOT NULL,
    sku_id TEXT,
    sku TEXT,
    sales_channel TEXT,
    attach_type TEXT,
    segment TEXT,
    license_key TEXT NOT NULL,
    subscription_id TEXT,
    attach_rank BIGINT NOT NULL,
    PRIMARY KEY (partner_id, line_no)
) WITHOUT ROWID;

CREATE TABLE facts (
    partner_id TEXT NOT NULL,
    month BIGINT NOT NULL,
    source BIGINT NOT NULL,
    load_no BIGINT NOT NULL,
    row_no BIGINT NOT NULL,         -- of the file, from 1
    line_no BIGINT NOT NULL,
    licenses BIGINT,
    deployed BIGINT,
    active BIGINT,
    added BIGINT,
    removed BIGINT,
    billed_revenue_usd BIGINT,
    PRIMARY KEY (partner_id, month, source, load_no, row_no)
) WITHOUT ROWID;

-- Usage of a distributor's customers: whose reseller it is about is known from the subscription only, and is
-- looked up at read, so that files may be loaded in any order. Its lines stand under the account's id.
CREATE TABLE usage_slices (
    account_id TEXT NOT NULL,
    month BIGINT NOT NULL,
    source BIGINT NOT NULL,
    load_no BIGINT NOT NULL,
    exported_at TEXT NOT NULL,
    carried BIGINT NOT NULL,
    product TEXT NOT NULL,
    n_rows BIGINT NOT NULL,
    PRIMARY KEY (account_id, month, source, load_no)
) WITHOUT ROWID;

CREATE TABLE usage_facts (
    subscription_id TEXT NOT NULL,  -- empty where the source has none
    month BIGINT NOT NULL,
    source BIGINT NOT NULL,
    load_no BIGINT NOT NULL,
    row_no BIGINT NOT NULL,
    account_id TEXT NOT NULL,
    line_no BIGINT NOT NULL,
    licenses BIGINT,
    deployed BIGINT,
    active BIGINT,
    PRIMARY KEY (subscription_id, month, source, load_no, row_no)
) WITHOUT ROWID;

-- What was left out of a slice or could not be read, counted. Of rows without a partner the partner is empty.
CREATE TABLE remarks (
    partner_id TEXT NOT NULL,
    month BIGINT NOT NULL,
    source BIGINT NOT NULL,
    load_no BIGINT NOT NULL,
    kind TEXT NOT NULL,             -- left-out-product, unread-market, no-partner
    what TEXT NOT NULL,
    n_rows BIGINT NOT NULL,
    PRIMARY KEY (partner_id, month, source, load_no, kind, what)
) WITHOUT ROWID;

-- Names as the newest row of each load has them.
CREATE TABLE partner_names (
    partner_id TEXT NOT NULL,
    load_no BIGINT NOT NULL,
    month BIGINT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (partner_id, load_no)
) WITHOUT ROWID;

CREATE TABLE location_names (
    partner_id TEXT NOT NULL,
    location_id TEXT NOT NULL,
    load_no BIGINT NOT NULL,
    month BIGINT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (partner_id, location_id, load_no)
) WITHOUT ROWID;

-- Products that the product map did not name.
CREATE TABLE unmapped_products (
    product TEXT NOT NULL,
    load_no BIGINT NOT NULL,
    n_rows BIGINT NOT NULL,
    PRIMARY KEY (product, load_no)
) WITHOUT ROWID;

-- For people: every row of the newest load of each slice, as it was loaded, before one source is chosen a measure.
CREATE VIEW loaded_rows AS
SELECT f.month, f.partner_id, f.load_no, f.row_no, o.name AS source,
       l.location_id, l.location_name, l.customer_id, l.customer_name, l.customer_market, l.product,
       l.sku_id, l.sku, l.sales_channel, l.attach_type, l.segment, l.license_key, l.attach_rank,
       f.licenses / 1e6 AS licenses, f.deployed / 1e6 AS deployed, f.active / 1e6 AS active,
       f.added / 1e6 AS added, f.removed / 1e6 AS removed, f.billed_revenue_usd / 1e6 AS billed_revenue_usd
FROM facts AS f
JOIN sources AS o ON o.source = f.source
JOIN lines AS l ON l.partner_id = f.partner_id AND l.line_no = f.line_no
WHERE f.load_no = (
    SELECT max(s.load_no) FROM slices AS s
    WHERE s.partner_id = f.partner_id AND s.month = f.month AND s.source = f.source
);
