// Package client tests the Go client against the real server and the real disk: what was
// put into its outbox is there once and in order, and what it holds is what the server
// has, through kill -9 of the one and of the other, and through a store that went back.
//
//	go test ./test/client
//	LINNET_CLIENT_KILLS=50 go test -timeout 1h ./test/client    a soak
package client
