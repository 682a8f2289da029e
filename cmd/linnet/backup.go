package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/linnet-im/linnet/internal/backup"
	"github.com/linnet-im/linnet/internal/doctor"
)

// one reads flags and the one word that a command takes; "" when it is left out.
func one(flags *flag.FlagSet, args []string) (string, error) {
	word := ""
	// The word may stand before the flags or after them.
	if len(args) > 0 && args[0] != "" && args[0][0] != '-' {
		word, args = args[0], args[1:]
	}
	if err := flags.Parse(args); err != nil {
		return "", err
	}
	switch {
	case word == "" && flags.NArg() == 1:
		return flags.Arg(0), nil
	case flags.NArg() > 0:
		return "", fmt.Errorf("%q: one file, then flags", flags.Arg(0))
	}
	return word, nil
}

// runBackup makes a backup of a folder, whether or not its server runs.
func runBackup(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("linnet backup [FILE]", flag.ContinueOnError)
	flags.SetOutput(out)
	data := flags.String("data", "linnet-data", "the server's data folder; the server may run")
	to, err := one(flags, args)
	if err != nil {
		return err
	}
	if to == "" {
		to = "linnet-" + time.Now().UTC().Format("20060102-150405") + ".backup"
	}
	if err := backup.Make(ctx, *data, to); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	_, err = fmt.Fprintf(out, "%s has everything, and the secret: keep it where nobody else reads it.\n", to)
	return err
}

// runRestore makes a folder of a backup.
func runRestore(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("linnet restore FILE", flag.ContinueOnError)
	flags.SetOutput(out)
	data := flags.String("data", "linnet-data", "the folder to make; it must not be there, or be empty")
	from, err := one(flags, args)
	if err != nil {
		return err
	}
	if from == "" {
		return errors.New("which backup? linnet restore FILE")
	}
	m, err := backup.Restore(ctx, from, *data)
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	_, err = fmt.Fprintf(out, "%s is what it was at %s. Start it with  linnet serve --data %s  and clients find out by themselves.\n",
		*data, m.Made.Format(time.RFC3339), *data)
	return err
}

// errSick is for the exit code; what is wrong has been printed.
var errSick = errors.New("something is wrong, see above")

// runDoctor looks at a folder.
func runDoctor(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("linnet doctor", flag.ContinueOnError)
	flags.SetOutput(out)
	data := flags.String("data", "linnet-data", "the server's data folder; the server may run")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("%q: doctor takes flags only", flags.Arg(0))
	}
	findings, err := doctor.Look(ctx, filepath.Clean(*data))
	if err != nil {
		return fmt.Errorf("doctor: %w", err)
	}
	sick := false
	for _, f := range findings {
		if len(f.Wrong) == 0 {
			fmt.Fprintf(out, "ok     %-10s %s\n", f.Check, f.Saw)
			continue
		}
		sick = true
		for _, w := range f.Wrong {
			fmt.Fprintf(out, "WRONG  %-10s %s\n", f.Check, w)
		}
	}
	if sick {
		return errSick
	}
	return nil
}
