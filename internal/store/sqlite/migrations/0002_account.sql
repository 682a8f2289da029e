-- Where users are signed in, and which tokens are good no more: chat.Account as JSON.
CREATE TABLE account (
    user TEXT NOT NULL PRIMARY KEY,
    body BLOB NOT NULL
) STRICT, WITHOUT ROWID;
