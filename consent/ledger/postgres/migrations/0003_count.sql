-- What was chosen, by day. Each gateway counts for itself and sends its sums.

CREATE TABLE consentgate_count (
	day      text   COLLATE "C" NOT NULL,
	gateway  text   COLLATE "C" NOT NULL,
	site     text   COLLATE "C" NOT NULL,
	language text   COLLATE "C" NOT NULL,
	event    text   COLLATE "C" NOT NULL,
	method   text   COLLATE "C" NOT NULL,
	signal   text   COLLATE "C" NOT NULL,
	purpose  text   COLLATE "C" NOT NULL, -- empty: all choices with this event
	n        bigint NOT NULL,
	PRIMARY KEY (day, gateway, site, language, event, method, signal, purpose)
);
