-- Chains: what stays for ever (entry) apart from what can be erased (payload).

CREATE TABLE chain (
	gateway   TEXT    NOT NULL PRIMARY KEY,
	own       INTEGER NOT NULL CHECK (own IN (0, 1)), -- 1: written by the gateway of this file
	base_seq  INTEGER NOT NULL,                       -- links up to here were moved elsewhere
	base_hash BLOB    NOT NULL,
	head_seq  INTEGER NOT NULL,
	head_hash BLOB    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX chain_own ON chain (own) WHERE own = 1;

CREATE TABLE entry (
	gateway TEXT    NOT NULL,
	seq     INTEGER NOT NULL,
	time    INTEGER NOT NULL, -- Unix seconds
	kind    TEXT    NOT NULL,
	digest  BLOB    NOT NULL,
	prev    BLOB    NOT NULL,
	hash    BLOB    NOT NULL,
	PRIMARY KEY (gateway, seq)
) STRICT, WITHOUT ROWID;

-- What is looked for is computed from the body, so that it cannot say anything
-- else than what the chain vouches for.
CREATE TABLE payload (
	gateway TEXT    NOT NULL,
	seq     INTEGER NOT NULL,
	salt    BLOB    NOT NULL,
	body    BLOB    NOT NULL,
	record  TEXT GENERATED ALWAYS AS (CAST(body AS TEXT) ->> 'record_id') VIRTUAL,   -- of a receipt
	until   TEXT GENERATED ALWAYS AS (CAST(body AS TEXT) ->> 'valid_until') VIRTUAL, -- RFC 3339, UTC
	PRIMARY KEY (gateway, seq)
) STRICT, WITHOUT ROWID;

CREATE INDEX payload_record ON payload (record) WHERE record IS NOT NULL;
CREATE INDEX payload_until ON payload (until) WHERE until IS NOT NULL;
