-- How far each attempt came, and what the other side answered last.
ALTER TABLE attempt ADD COLUMN phase TEXT;
ALTER TABLE attempt ADD COLUMN answer TEXT;
-- How many were begun lately: what a relay allows in a minute and in a day counts across restarts.
CREATE INDEX attempt_by_start ON attempt (started_at);
