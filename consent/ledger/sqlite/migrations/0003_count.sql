-- What was chosen, by day. Never purged: it says nothing about a single visitor.

CREATE TABLE count (
	day      TEXT    NOT NULL,
	gateway  TEXT    NOT NULL,
	site     TEXT    NOT NULL,
	language TEXT    NOT NULL,
	event    TEXT    NOT NULL,
	method   TEXT    NOT NULL,
	signal   TEXT    NOT NULL,
	purpose  TEXT    NOT NULL, -- empty: all choices with this event
	n        INTEGER NOT NULL,
	PRIMARY KEY (day, gateway, site, language, event, method, signal, purpose)
) STRICT, WITHOUT ROWID;

-- Receipts that were stored before they were counted.
INSERT INTO count
SELECT date(e.time, 'unixepoch'), p.gateway, p.body ->> 'site', p.body ->> 'language', p.body ->> 'event',
	p.body ->> 'method',
	CASE
		WHEN p.body -> 'signals' ->> 'dnt' = '1' AND p.body -> 'signals' ->> 'gpc' THEN 'dnt+gpc'
		WHEN p.body -> 'signals' ->> 'dnt' = '1' THEN 'dnt'
		WHEN p.body -> 'signals' ->> 'gpc' THEN 'gpc'
		ELSE 'none'
	END,
	w.value, count(*)
FROM (SELECT gateway, seq, CAST(body AS TEXT) AS body FROM payload WHERE record IS NOT NULL) p
JOIN entry e ON e.gateway = p.gateway AND e.seq = p.seq
JOIN json_each(json_insert(p.body -> 'purposes', '$[#]', '')) w
WHERE w.value <> 'necessary'
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8;
