-- Something to write when it has to be known whether a grant could be written.

CREATE TABLE probe (
	id     INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
	filler BLOB    NOT NULL
) STRICT;
