// Command linnet is instant messaging that an app's team runs itself: the server and
// its tools in one binary.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
)

// command is a subcommand.
type command struct {
	name  string
	usage string // "" for one that is not listed
	run   func(ctx context.Context, args []string, out io.Writer) error
}

func commands() []command {
	return []command{
		{"serve", "run the server", runServe},
		{"chat", "talk, in this terminal or from a script", runChat},
		{"token", "make a token for a user: linnet token USER", runToken},
		{"key", "make, list and revoke the server keys of back ends", runKey},
		{"backup", "back up a server, which may run: linnet backup [FILE]", runBackup},
		{"restore", "make a server's folder of a backup: linnet restore FILE", runRestore},
		{"doctor", "look for what is wrong with a server's folder", runDoctor},
		{"bench", "measure this machine's server against what the machine can do", runBench},
		{"bench-peer", "", runBenchPeer},
		{"version", "print the version", runVersion},
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "linnet:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	if len(args) == 0 || args[0] == "help" || args[0] == "-h" || args[0] == "--help" {
		return help(out)
	}
	for _, c := range commands() {
		if c.name == args[0] {
			return c.run(ctx, args[1:], out)
		}
	}
	return fmt.Errorf("there is no command %q; linnet help lists them", args[0])
}

func help(out io.Writer) error {
	fmt.Fprint(out, "linnet is instant messaging that an app's team runs itself.\n\n")
	for _, c := range commands() {
		if c.usage != "" {
			fmt.Fprintf(out, "  linnet %-8s %s\n", c.name, c.usage)
		}
	}
	fmt.Fprint(out, "\nlinnet COMMAND --help says more.\n")
	return nil
}

func runVersion(_ context.Context, _ []string, out io.Writer) error {
	version := "(devel)"
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		version = info.Main.Version
	}
	_, err := fmt.Fprintln(out, "linnet", version)
	return err
}
