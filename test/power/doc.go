// Package power tests the promise "acknowledged means durable" against power cuts: a
// writer runs the SQLite store on a file system that loses what was not synced
// (package cutfs), and whatever it had acknowledged must be there afterwards.
//
//	go test ./test/power                                40 cuts
//	LINNET_POWER_CUTS=400 go test -timeout 2h ./test/power   a soak
//	LINNET_POWER_SEED=7 go test ./test/power            the cuts of a run before
//
// It needs Linux, root and /dev/fuse. The same run with synchronous=NORMAL must lose
// something: a rig that cannot see that sees nothing.
package power
