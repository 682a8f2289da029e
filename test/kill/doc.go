// Package kill tests the promises "acknowledged means durable and numbered", "never
// twice" and "one order" against the real binary and kill -9 in the middle of sends.
//
//	go test ./test/kill                                  20 kills
//	LINNET_KILLS=200 go test -timeout 2h ./test/kill     a soak
//	LINNET_KILL_SEED=7 go test ./test/kill               the moments of a run before
package kill
