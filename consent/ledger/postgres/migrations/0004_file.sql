-- What gateways keep together beside the ledger: certificates and their keys.
CREATE TABLE consentgate_file (
    key      text PRIMARY KEY,
    body     bytea NOT NULL,
    modified timestamptz NOT NULL
);

-- Who does what only one gateway may do at a time, and until when that holds
-- without being renewed.
CREATE TABLE consentgate_lock (
    name   text PRIMARY KEY,
    holder text NOT NULL,
    until  timestamptz NOT NULL
);
