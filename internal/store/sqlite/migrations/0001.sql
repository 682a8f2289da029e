-- Times are milliseconds since 1970, pos is chat.Position, seq is chat.Seq.

CREATE TABLE conversation (
    num         INTEGER PRIMARY KEY,  -- what the other tables call it
    id          TEXT    NOT NULL UNIQUE,
    kind        TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    pair_a      TEXT    NOT NULL,
    pair_b      TEXT    NOT NULL,
    shared_past INTEGER NOT NULL,
    seq         INTEGER NOT NULL,
    count       INTEGER NOT NULL,
    time        INTEGER NOT NULL,
    members     INTEGER NOT NULL,
    members_rev INTEGER NOT NULL,
    rev         INTEGER NOT NULL,
    pos         INTEGER NOT NULL
) STRICT;
CREATE INDEX conversation_pos ON conversation (pos);

-- Events lie in the order they came, so that a commit writes few pages. What is read
-- without the body stands before it.
CREATE TABLE event (
    id      INTEGER PRIMARY KEY,
    conv    INTEGER NOT NULL,
    seq     INTEGER NOT NULL,
    message INTEGER NOT NULL,  -- 1: countable
    sender  TEXT    NOT NULL,
    count   INTEGER NOT NULL,
    pos     INTEGER NOT NULL,
    body    BLOB    NOT NULL,  -- the event as it goes to clients
    UNIQUE (conv, seq)
) STRICT;

CREATE TABLE member (
    conv       INTEGER NOT NULL,
    user       TEXT    NOT NULL,
    role       TEXT    NOT NULL,
    spans      TEXT    NOT NULL,  -- "1-20,31-": from and to, the last one may be open
    since      INTEGER NOT NULL,
    read_seq   INTEGER NOT NULL,
    read_count INTEGER NOT NULL,
    read_sent  INTEGER NOT NULL,
    sent       INTEGER NOT NULL,
    pos        INTEGER NOT NULL,
    joined     INTEGER NOT NULL,  -- 1: the last span is open
    PRIMARY KEY (user, conv)
) STRICT, WITHOUT ROWID;
-- Who is in a conversation and who may see an event is answered from here alone.
CREATE INDEX member_conv ON member (conv, user, joined, since, spans);
CREATE INDEX member_pos ON member (user, pos);

CREATE TABLE user (
    id   TEXT    NOT NULL PRIMARY KEY,
    name TEXT    NOT NULL,
    pos  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What calls were answered, in the order they came: the oldest have the lowest ids. A
-- client_id of UUID version 7 grows with time, so its index is appended to as well.
CREATE TABLE call (
    id        INTEGER PRIMARY KEY,
    client_id BLOB    NOT NULL,
    user      TEXT    NOT NULL,
    hash      BLOB    NOT NULL,
    conv      TEXT    NOT NULL,
    seq       INTEGER NOT NULL,
    time      INTEGER NOT NULL,
    at        INTEGER NOT NULL,
    UNIQUE (client_id, user)
) STRICT;

-- One row for each start: the lineage.
CREATE TABLE start (
    n    INTEGER PRIMARY KEY,
    id   TEXT    NOT NULL,
    pos  INTEGER NOT NULL,  -- where it began
    upto INTEGER NOT NULL,  -- its last commit, written by each
    at   INTEGER NOT NULL
) STRICT;
