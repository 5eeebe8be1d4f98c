-- Chains of all gateways: what stays for ever (entry) apart from what can be
-- erased (payload). Text is compared by bytes, whatever the database's locale.

CREATE TABLE consentgate_chain (
	gateway   text   COLLATE "C" PRIMARY KEY,
	base_seq  bigint NOT NULL,
	base_hash bytea  NOT NULL,
	head_seq  bigint NOT NULL,
	head_hash bytea  NOT NULL
);

CREATE TABLE consentgate_entry (
	gateway text   COLLATE "C" NOT NULL,
	seq     bigint NOT NULL,
	time    bigint NOT NULL, -- Unix seconds
	kind    text   NOT NULL,
	digest  bytea  NOT NULL,
	prev    bytea  NOT NULL,
	hash    bytea  NOT NULL,
	PRIMARY KEY (gateway, seq)
);

-- What is looked for is computed from the body, so that it cannot say anything
-- else than what the chain vouches for.
CREATE TABLE consentgate_payload (
	gateway text   COLLATE "C" NOT NULL,
	seq     bigint NOT NULL,
	salt    bytea  NOT NULL,
	body    text   NOT NULL, -- canonical JSON
	record  text   COLLATE "C" GENERATED ALWAYS AS (body::json ->> 'record_id') STORED,   -- of a receipt
	until   text   COLLATE "C" GENERATED ALWAYS AS (body::json ->> 'valid_until') STORED, -- RFC 3339, UTC
	PRIMARY KEY (gateway, seq)
);

CREATE INDEX consentgate_payload_record ON consentgate_payload (record) WHERE record IS NOT NULL;
CREATE INDEX consentgate_payload_until ON consentgate_payload (until) WHERE until IS NOT NULL;
