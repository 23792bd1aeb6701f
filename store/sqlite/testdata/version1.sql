-- What the first release wrote: its schema, and some of everything. Never changed.
CREATE TABLE counter (
	name TEXT PRIMARY KEY,
	n    INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO counter (name, n) VALUES ('revision', 0);

CREATE TABLE facts (
	name  TEXT PRIMARY KEY,
	value BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE rows (
	tbl     TEXT NOT NULL,
	account TEXT NOT NULL,
	region  TEXT NOT NULL,
	id      TEXT NOT NULL,
	rev     INTEGER NOT NULL,
	doc     BLOB NOT NULL,
	PRIMARY KEY (tbl, account, region, id)
) WITHOUT ROWID;

CREATE TABLE entries (
	tbl     TEXT NOT NULL,
	account TEXT NOT NULL,
	region  TEXT NOT NULL,
	name    TEXT NOT NULL,
	value   TEXT NOT NULL,
	id      TEXT NOT NULL,
	PRIMARY KEY (tbl, account, region, name, value, id)
) WITHOUT ROWID;

CREATE TABLE outbox (
	seq   INTEGER PRIMARY KEY,
	event TEXT NOT NULL,
	doc   BLOB NOT NULL
);

CREATE TABLE dues (
	kind    TEXT NOT NULL,
	account TEXT NOT NULL,
	region  TEXT NOT NULL,
	id      TEXT NOT NULL,
	at      INTEGER NOT NULL, -- nanoseconds since 1970
	ready   INTEGER NOT NULL, -- when it can be claimed: at, or the end of a lease
	fence   INTEGER NOT NULL,
	doc     BLOB NOT NULL,
	PRIMARY KEY (kind, account, region, id)
) WITHOUT ROWID;
CREATE INDEX dues_ready ON dues (ready);
PRAGMA user_version = 1;
UPDATE counter SET n = 5;
INSERT INTO facts (name, value) VALUES ('key-check', 'check');
INSERT INTO rows (tbl, account, region, id, rev, doc) VALUES ('iam.users', '111122223333', 'eu-central-1', 'ann', 3, 'sealed');
INSERT INTO entries (tbl, account, region, name, value, id) VALUES ('iam.users', '111122223333', 'eu-central-1', 'path', '/', 'ann');
INSERT INTO outbox (seq, event, doc) VALUES (4, 'event', 'sealed');
INSERT INTO dues (kind, account, region, id, at, ready, fence, doc)
	VALUES ('kms.delete', '111122223333', 'eu-central-1', 'k1', 1800000000000000000, 1800000000000000000, 5, 'sealed');
