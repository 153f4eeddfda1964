-- A schedule's cadence, and since when it is that one: what an earlier one named stays as it was recorded, and a changed
-- one is due for nothing before the change.
ALTER TABLE schedule ADD COLUMN cadence TEXT NOT NULL DEFAULT '';
ALTER TABLE schedule ADD COLUMN since_at BIGINT NOT NULL DEFAULT 0;
UPDATE schedule SET since_at = first_seen_at;
