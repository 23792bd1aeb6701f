-- What the first release wrote: its schema, and some of everything. Never changed.
-- COLLATE "C" orders by bytes, as SQLite does.
CREATE TABLE counter (
	name TEXT COLLATE "C" PRIMARY KEY,
	n    BIGINT NOT NULL
);
INSERT INTO counter (name, n) VALUES ('revision', 0);

CREATE TABLE facts (
	name  TEXT COLLATE "C" PRIMARY KEY,
	value BYTEA NOT NULL
);

CREATE TABLE rows (
	tbl     TEXT COLLATE "C" NOT NULL,
	account TEXT COLLATE "C" NOT NULL,
	region  TEXT COLLATE "C" NOT NULL,
	id      TEXT COLLATE "C" NOT NULL,
	rev     BIGINT NOT NULL,
	doc     BYTEA NOT NULL,
	PRIMARY KEY (tbl, account, region, id)
);

CREATE TABLE entries (
	tbl     TEXT COLLATE "C" NOT NULL,
	account TEXT COLLATE "C" NOT NULL,
	region  TEXT COLLATE "C" NOT NULL,
	name    TEXT COLLATE "C" NOT NULL,
	value   TEXT COLLATE "C" NOT NULL,
	id      TEXT COLLATE "C" NOT NULL,
	PRIMARY KEY (tbl, account, region, name, value, id)
);

CREATE TABLE outbox (
	seq    BIGINT PRIMARY KEY,
	event  TEXT COLLATE "C" NOT NULL,
	doc    BYTEA NOT NULL,
	leased BIGINT NOT NULL DEFAULT 0 -- until when a node publishes it
);

CREATE TABLE dues (
	kind    TEXT COLLATE "C" NOT NULL,
	account TEXT COLLATE "C" NOT NULL,
	region  TEXT COLLATE "C" NOT NULL,
	id      TEXT COLLATE "C" NOT NULL,
	at      BIGINT NOT NULL, -- nanoseconds since 1970
	ready   BIGINT NOT NULL, -- when it can be claimed: at, or the end of a lease
	fence   BIGINT NOT NULL,
	doc     BYTEA NOT NULL,
	PRIMARY KEY (kind, account, region, id)
);
CREATE INDEX dues_ready ON dues (ready);
CREATE TABLE schema_version (version BIGINT PRIMARY KEY);
INSERT INTO schema_version (version) VALUES (1);
UPDATE counter SET n = 5;
INSERT INTO facts (name, value) VALUES ('key-check', 'check');
INSERT INTO rows (tbl, account, region, id, rev, doc) VALUES ('iam.users', '111122223333', 'eu-central-1', 'ann', 3, 'sealed');
INSERT INTO entries (tbl, account, region, name, value, id) VALUES ('iam.users', '111122223333', 'eu-central-1', 'path', '/', 'ann');
INSERT INTO outbox (seq, event, doc) VALUES (4, 'event', 'sealed');
INSERT INTO dues (kind, account, region, id, at, ready, fence, doc)
	VALUES ('kms.delete', '111122223333', 'eu-central-1', 'k1', 1800000000000000000, 1800000000000000000, 5, 'sealed');
