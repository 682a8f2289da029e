// Package line is the text protocol: what a person at nc, or a client written after a
// socket tutorial, says and reads.
//
//	iam:NAME   signs in
//	msg:TEXT   speaks
//
// It is pure state and text: it opens no sockets and reads no clock. A link feeds a
// Decoder with what it reads and tells it when the peer was silent; Name, Render
// and Joined make names and the lines that peers read.
//
// # Where a frame ends
//
// At LF or CRLF, at the end of the stream, or at a silence (50 ms) while the pending
// bytes start with a verb, since many clients send no newline at all. A pending iam:
// also ends where another iam: or msg: follows, for a name has no colon. A text may
// hold anything, so msg: ends only in the ways above: msg:amsg:b is one message. Bytes
// that start with no verb wait for their LF: a person may be typing.
package line
