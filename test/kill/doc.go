// Package kill tests the promises "acknowledged means durable and numbered", "never
// twice" and "one order" against the real binary and kill -9 in the middle of sends.
//
//	go test ./test/kill                                  20 kills
//	LINNET_KILLS=200 go test -timeout 2h ./test/kill     a soak
//	LINNET_KILL_SEED=7 go test ./test/kill               the moments of a run before
//
// Mutants that were tried, and what catches them: a send that does not look for its
// client_id (the retry is answered with an error, or with another place); a batch that
// is published before its commit (a repeated call is answered another place than
// first); a seq that is taken and not used (History: "seq 18 after 16").
package kill
