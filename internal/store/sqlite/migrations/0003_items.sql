-- What is set rarely, as JSON; null when nothing is.
ALTER TABLE conversation ADD COLUMN details BLOB;
ALTER TABLE member ADD COLUMN details BLOB;
ALTER TABLE user ADD COLUMN details BLOB;

-- Who alone may see an event, sorted, a line feed after each; null for everybody.
ALTER TABLE event ADD COLUMN only_for TEXT;

-- Small named rows of state: chat.Item. A null body is one that is gone.
CREATE TABLE item (
    holder TEXT    NOT NULL,
    kind   TEXT    NOT NULL,
    key    TEXT    NOT NULL,
    body   BLOB,
    due    INTEGER,
    pos    INTEGER NOT NULL,
    PRIMARY KEY (holder, kind, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX item_pos ON item (holder, pos);
CREATE INDEX item_due ON item (kind, due) WHERE due IS NOT NULL;
