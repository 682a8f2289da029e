// Package sqlite is chat.Store in one SQLite file, through a driver in pure Go.
//
// # Durability
//
// The file is in WAL mode with synchronous=FULL: COMMIT returns after the log was
// synced, so what Update has answered survives a power cut. NORMAL would not sync at
// every commit and lose what was acknowledged last. A COMMIT that fails has an unknown
// outcome, and the kernel may have dropped the pages it could not write: asking for
// another sync proves nothing. So the store then refuses to write until it was opened
// again, when SQLite recovers what is on the disk, and all of it is synced once more.
//
// # One writer
//
// Updates run one after the other on one connection. Its statements are prepared once
// on that connection, and BEGIN and COMMIT are statements too: database/sql's own
// transactions prepare a statement again for each one and halve the speed. The writer
// keeps the conversations and members used last in memory; since nobody else writes,
// they are as they are on disk. So a send costs one look for its call, two inserts
// (event, call) and two updates (conversation, member).
//
// Reads run on a small pool of their own, each in one statement and therefore on one
// snapshot. The driver never sees their context: one that can be cancelled costs a
// goroutine per query. It is asked between rows instead.
//
// # Layout
//
// Events and calls are in the order they came, with small unique indexes on the side: three
// times as fast to write as tables ordered by conversation, and 50 events cost a tenth of
// a millisecond to list. An event's body is the bytes that clients get; listing reads seq and body only.
//
// # Positions
//
// The position is a counter: each changed row of a conversation, a member or a user
// takes the next number, and Position is the last one committed. So no two rows have
// the same one, and the difference of two positions bounds how many rows changed
// between them, which is what Changed chooses its plan by.
package sqlite
