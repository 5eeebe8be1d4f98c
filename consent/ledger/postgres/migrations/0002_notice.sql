-- Every notice that visitors were shown, whole, under its hash.

CREATE TABLE consentgate_notice (
	hash     text COLLATE "C" PRIMARY KEY,
	revision text  NOT NULL,
	language text  NOT NULL,
	body     bytea NOT NULL
);
