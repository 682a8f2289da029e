package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/linnet-im/linnet/internal/bench"
)

// runBench measures a server and writes a table to out, and JSON where --json says.
// It fails when the server lost, doubled or reordered anything.
func runBench(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(out)
	var o bench.Options
	window := flags.String("window", "1,32", "messages under way at a time: one run for each")
	flags.IntVar(&o.Pairs, "pairs", 200, "direct: how many pairs")
	flags.IntVar(&o.Members, "members", 1000, "fanout: members of the group, with the sender")
	flags.IntVar(&o.Clients, "clients", 1000, "history: how many clients read")
	flags.IntVar(&o.Conversations, "conversations", 5000, "history-many: of how many conversations")
	flags.DurationVar(&o.Duration, "duration", 10*time.Second, "how long each workload is measured")
	flags.IntVar(&o.Repeat, "repeat", 1, "run everything so many times and report medians")
	flags.IntVar(&o.Connections, "connections", 10_000, "idle, sign-in, storm: how many")
	flags.IntVar(&o.Most, "most", 19_000, "idle: measure its CPU with so many too, if so many files may be open")
	flags.IntVar(&o.Churn, "churn", 200, "churn: sign-ins a second beside the sends of the pairs")
	flags.IntVar(&o.Crowd, "crowd", 2000, "stalled: members of the room")
	flags.IntVar(&o.Large, "large", 100_000, "large: members of the group")
	flags.IntVar(&o.Online, "online", 100, "large: how many of them are online")
	flags.IntVar(&o.Listeners, "listeners", 10_000, "room: how many listen")
	flags.IntVar(&o.Listed, "listed", 1000, "list: conversations of each user")
	flags.IntVar(&o.Messages, "messages", 1_000_000, "search: among how many")
	link := flags.String("link", bench.LinkTCP, "tcp, ws and tls: one run for each")
	flags.StringVar(&o.Dir, "dir", "", "where to put temporary data; it should be on the disk that matters")
	flags.StringVar(&o.Server, "server", "", "address of a server that runs already; default: start one")
	flags.StringVar(&o.SecretFile, "secret-file", "", "with --server: the file with its secret")
	flags.IntVar(&o.PID, "pid", 0, "with --server: its process, for the CPU figures")
	jsonFile := flags.String("json", "", "write the report as JSON to this file")
	flags.Usage = func() {
		fmt.Fprintln(out, "usage: linnet bench [WORKLOAD]… [flags]\nworkloads: "+workloadNames()+"")
		flags.PrintDefaults()
	}
	workloads, args := splitWorkloads(args)
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return nil
	} else if err != nil {
		return err
	}
	workloads = append(workloads, flags.Args()...)
	var err error
	if o.Workloads, err = parseWorkloads(workloads); err != nil {
		return err
	}
	o.Links = strings.Split(*link, ",")
	if o.Windows, err = parseWindows(*window); err != nil {
		return err
	}
	if o.Program, err = os.Executable(); err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	report, err := bench.Run(ctx, o, os.Stderr)
	if err != nil {
		return err
	}
	if err := report.WriteTable(out); err != nil {
		return err
	}
	if *jsonFile == "" {
		return nil
	}
	encoded, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the report: %w", err)
	}
	return os.WriteFile(*jsonFile, append(encoded, '\n'), 0o644)
}

// runBenchPeer is one of the bare programs that bench compares with. Users do not call it.
func runBenchPeer(ctx context.Context, args []string, out io.Writer) error {
	if len(args) != 2 {
		return errors.New("usage: linnet bench-peer log|writer|pages|accept FOLDER")
	}
	return bench.Peer(ctx, args[0], args[1], os.Stdin, out)
}

// splitWorkloads takes the words before the first flag.
func splitWorkloads(args []string) (words, flags []string) {
	for i, arg := range args {
		if strings.HasPrefix(arg, "-") {
			return args[:i:i], args[i:]
		}
	}
	return args, nil
}

func parseWorkloads(words []string) ([]bench.Workload, error) {
	if len(words) == 0 {
		return bench.All(), nil
	}
	var workloads []bench.Workload
	for _, word := range words {
		switch {
		case word == "all":
			workloads = append(workloads, bench.All()...)
		case word == "history":
			workloads = append(workloads, bench.HistoryOne, bench.HistoryMany)
		case slices.Contains(bench.All(), bench.Workload(word)):
			workloads = append(workloads, bench.Workload(word))
		default:
			return nil, fmt.Errorf("no such workload: %q; there are %s", word, workloadNames())
		}
	}
	return workloads, nil
}

// workloadNames tells what there is to measure.
func workloadNames() string {
	var names []string
	for _, w := range bench.All() {
		names = append(names, string(w))
	}
	return strings.Join(names, ", ") + ", history for both of its kinds, all"
}

func parseWindows(list string) ([]int, error) {
	var windows []int
	for word := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(word))
		if err != nil {
			return nil, fmt.Errorf("window: %q is not a number", word)
		}
		windows = append(windows, n)
	}
	return windows, nil
}
