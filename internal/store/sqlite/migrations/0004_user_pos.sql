-- Whose profile changed since, for the search index.
CREATE INDEX user_pos ON user (pos);
