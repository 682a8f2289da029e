// Package backup tests a backup that is made under load by the real binary: it holds all
// that was acknowledged before it began, and clients of the old server converge with the
// restored one by themselves. And a backup that is killed, or finds no space, leaves
// nothing under its name.
package backup
