// Package terminal is linnet chat: a person's client in a terminal, and a script's when
// its input or output is none. It stands on package client and knows no server.
//
// The screen is a model in the sense of Bubble Tea: messages change it, nothing else
// does. What takes time (the network, reading) runs in commands whose results come back
// as messages; only a message that is sent is on the disk before the next key.
package terminal
