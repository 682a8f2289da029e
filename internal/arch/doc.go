// Package arch holds the tests of the house itself: who may import whom, and that every
// package says what it is.
package arch
