-- What of an edition did not go with its mail, and why. Null: all went.
ALTER TABLE delivery ADD COLUMN note TEXT;
-- How large the mail was that was refused as too large, in bytes as sent: the next is to be smaller.
ALTER TABLE delivery ADD COLUMN refused_bytes BIGINT;
CREATE INDEX delivery_noted ON delivery (run_id) WHERE note IS NOT NULL;
