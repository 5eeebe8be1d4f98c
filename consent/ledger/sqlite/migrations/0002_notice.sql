-- Every notice that visitors were shown, whole, under its hash.

CREATE TABLE notice (
	hash     TEXT NOT NULL PRIMARY KEY,
	revision TEXT NOT NULL,
	language TEXT NOT NULL,
	body     BLOB NOT NULL
) STRICT;
