package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/linnet-im/linnet/internal/app"
	"github.com/linnet-im/linnet/wire"
)

// runKey makes, lists and revokes server keys: of the server that runs on the folder, or
// in the folder when none does.
func runKey(ctx context.Context, args []string, out io.Writer) error {
	const usage = "linnet key create --name NAME --scopes SCOPES, linnet key list, or linnet key revoke ID"
	if len(args) == 0 {
		return errors.New(usage)
	}
	switch args[0] {
	case "create":
		return createKey(ctx, args[1:], out)
	case "list":
		return listKeys(ctx, args[1:], out)
	case "revoke":
		return revokeKey(ctx, args[1:], out)
	case "-h", "--help":
		_, err := fmt.Fprintln(out, usage)
		return err
	}
	return fmt.Errorf("there is no linnet key %s: %s", args[0], usage)
}

// keyFlags are those of all linnet key commands.
func keyFlags(name string, out io.Writer) (*flag.FlagSet, *string) {
	flags := flag.NewFlagSet("linnet key "+name, flag.ContinueOnError)
	flags.SetOutput(out)
	return flags, flags.String("data", "linnet-data", "the server's data folder")
}

func operate(ctx context.Context, data, method string, params, result any) error {
	return app.Operate(ctx, data, os.Getenv("LINNET_SECRET"), method, params, result)
}

func createKey(ctx context.Context, args []string, out io.Writer) error {
	flags, data := keyFlags("create", out)
	name := flags.String("name", "", "what the key is for")
	scopes := flags.String("scopes", "", "what it may do, with commas between: read, send, manage, moderate, admin")
	ttl := flags.Duration("ttl", 0, "how long it is good; for ever when absent")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 || *name == "" || *scopes == "" {
		return errors.New("linnet key create --name NAME --scopes SCOPES, for example --scopes read,send")
	}
	var result wire.KeysCreateResult
	err := operate(ctx, *data, "keys.create", wire.KeysCreateParams{
		ClientID: wire.NewUUIDv7(), Name: *name, Scopes: strings.Split(*scopes, ","), TTLMS: ttl.Milliseconds(),
	}, &result)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, result.Secret)
	return err
}

func listKeys(ctx context.Context, args []string, out io.Writer) error {
	flags, data := keyFlags("list", out)
	if err := flags.Parse(args); err != nil {
		return err
	}
	var result wire.KeysResult
	if err := operate(ctx, *data, "keys.list", wire.Empty{}, &result); err != nil {
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tNAME\tSCOPES\tCREATED\tUSED\tEXPIRES")
	for _, k := range result.Keys {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", k.ID, k.Name, strings.Join(k.Scopes, ","), day(k.Created), day(k.Used), day(k.Expires))
	}
	return w.Flush()
}

// day gives an instant for people to read.
func day(text string) string {
	t, err := time.Parse(wire.TimeLayout, text)
	if err != nil {
		return "never"
	}
	return t.Format("2006-01-02 15:04")
}

func revokeKey(ctx context.Context, args []string, out io.Writer) error {
	flags, data := keyFlags("revoke", out)
	var id string
	// The key's id may stand before the flags or after them.
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		id, args = args[0], args[1:]
	}
	if err := flags.Parse(args); err != nil {
		return err
	}
	if id == "" {
		id = flags.Arg(0)
	}
	if id == "" {
		return errors.New("which one? linnet key revoke ID; linnet key list shows them")
	}
	var result wire.Empty
	if err := operate(ctx, *data, "keys.revoke", wire.KeysRevokeParams{Key: id}, &result); err != nil {
		return err
	}
	_, err := fmt.Fprintln(out, "revoked", id)
	return err
}
