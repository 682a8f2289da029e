// Package chaos breaks the network, the server and its store under clients that are
// connected, and compares what they hold in the end with what the server has: promises
// 4, "no silent gap", and 7, "the log is the truth".
//
//	go test ./test/chaos                                  100 cuts a reader, 300 steps
//	LINNET_CHAOS_SEED=7 go test ./test/chaos              what a run before did
//	LINNET_CHAOS_CUTS=2000 LINNET_CHAOS_STEPS=5000 go test -timeout 2h ./test/chaos
//
// The seed decides what is done and in which order; when it meets what is under way is
// the machine's choice.
package chaos
