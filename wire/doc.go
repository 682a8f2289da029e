// Package wire is what Linnet's peers say to each other: the JSON-RPC frames, the
// parameters and results of every method, the error codes, and the text protocol's
// frames (package wire/line). Server and clients share it. It opens no sockets and
// keeps no state.
//
// The forms here are stable from the first release on: a field is never removed or
// given another meaning. Servers refuse parameters they do not know; clients ignore
// fields and kinds they do not know.
package wire
