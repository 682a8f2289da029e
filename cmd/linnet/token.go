package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/linnet-im/linnet/internal/auth"
	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/internal/config"
)

// runToken makes a token with the server's secret, as an app's back end does.
func runToken(_ context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("linnet token USER", flag.ContinueOnError)
	flags.SetOutput(out)
	data := flags.String("data", "linnet-data", "the server's data folder, where the secret is (LINNET_SECRET goes before it)")
	ttl := flags.Duration("ttl", 24*time.Hour, "how long the token is good")
	name := flags.String("name", "", "the user's name, for people to read")
	issuer := flags.String("issuer", "", "the token's iss")
	audience := flags.String("audience", "", "the token's aud")
	var user string
	// The user's id may stand before the flags or after them.
	if len(args) > 0 && args[0] != "" && args[0][0] != '-' {
		user, args = args[0], args[1:]
	}
	if err := flags.Parse(args); err != nil {
		return err
	}
	if user == "" && flags.NArg() == 1 {
		user = flags.Arg(0)
	} else if flags.NArg() > 0 {
		return fmt.Errorf("%q: one user, then flags", flags.Arg(0))
	}
	if user == "" {
		return errors.New("whose token? linnet token USER")
	}
	secret := []byte(os.Getenv("LINNET_SECRET"))
	if len(secret) == 0 {
		var err error
		if secret, err = config.ReadSecret(*data); err != nil {
			return fmt.Errorf("%w; has linnet serve run with this folder?", err)
		}
	}
	token, err := auth.Sign(secret, chat.UserID(user), *name, time.Now(), *ttl, *issuer, *audience)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, token)
	return err
}
