package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"golang.org/x/term"

	"github.com/linnet-im/linnet/client"
	"github.com/linnet-im/linnet/client/disk"
	"github.com/linnet-im/linnet/internal/terminal"
	"github.com/linnet-im/linnet/wire"
)

// chatFlags are what linnet chat takes.
type chatFlags struct {
	url, token, guest, state, to string
	follow, json                 bool
	screen                       bool // input and output are a person's terminal
	since                        int
	wait                         time.Duration
}

func parseChat(args []string, out io.Writer) (chatFlags, error) {
	var f chatFlags
	flags := flag.NewFlagSet("linnet chat", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.StringVar(&f.url, "url", "tcp://127.0.0.1:7788", "the server: tcp://, tls://, ws://, wss://, http:// or https:// and HOST:PORT")
	flags.StringVar(&f.token, "token", "", "a token of the app's back end (LINNET_TOKEN)")
	flags.StringVar(&f.guest, "guest", "", "a name, where guests are allowed (without a token: your login's)")
	flags.StringVar(&f.state, "state", "", "folder to keep messages and what is still to be sent in (one for each server and user, in your configuration folder)")
	flags.StringVar(&f.to, "to", "", "whom or where to: a user, a room, a conversation's id; on the screen, what to open")
	flags.BoolVar(&f.follow, "follow", false, "print messages as they come, one a line, until interrupted")
	flags.BoolVar(&f.json, "json", false, "with follow: print events as JSON")
	flags.IntVar(&f.since, "since", 0, "with follow: begin with the last `N` messages")
	flags.DurationVar(&f.wait, "wait", terminal.Patience, "with input that is no terminal: how long to wait for the server to take the next line")
	if err := flags.Parse(args); err != nil {
		return f, err
	}
	switch {
	case flags.NArg() > 0:
		return f, fmt.Errorf("%q: chat takes flags only; --to says whom to write to", flags.Arg(0))
	case f.token != "" && f.guest != "":
		return f, errors.New("either a token or guest")
	case (f.json || f.since != 0) && !f.follow:
		return f, errors.New("json and since go with follow")
	case f.since < 0:
		return f, errors.New("since: a number of messages")
	}
	if f.guest == "" {
		f.token = cmp.Or(f.token, os.Getenv("LINNET_TOKEN"))
	}
	if f.token == "" && f.guest == "" {
		who, err := user.Current()
		if err != nil {
			return f, errors.New("who are you? --guest NAME, or --token")
		}
		f.guest = cmp.Or(who.Name, who.Username)
		if strings.ContainsAny(f.guest, ",:@") || f.guest == "" {
			f.guest = who.Username
		}
	}
	f.url = strings.NewReplacer("http://", "ws://", "https://", "wss://").Replace(f.url)
	return f, nil
}

// who is the user that the flags speak of, as far as can be told without asking the server.
func (f *chatFlags) who() string {
	if f.guest != "" {
		return "guest:" + f.guest
	}
	var claims struct{ Sub string }
	if parts := strings.Split(f.token, "."); len(parts) == 3 {
		if b, err := base64.RawURLEncoding.DecodeString(parts[1]); err == nil {
			_ = json.Unmarshal(b, &claims) // then it is nobody, and the server says so
		}
	}
	return cmp.Or(claims.Sub, "unknown")
}

// folder is where the state is kept.
func (f *chatFlags) folder() (string, error) {
	if f.state != "" {
		return f.state, nil
	}
	base, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("where to keep messages? --state: %w", err)
	}
	u, err := url.Parse(f.url)
	if err != nil {
		return "", fmt.Errorf("url: %w", err)
	}
	return filepath.Join(base, "linnet", url.QueryEscape(u.Host), fileName(f.who())), nil
}

// fileName makes a user's id the name of a folder on any system: no colon, no dot at an end.
func fileName(id string) string { return strings.ReplaceAll(url.QueryEscape(id), ".", "%2E") }

// runChat is a client: a screen for a person, lines for a script.
func runChat(ctx context.Context, args []string, out io.Writer) error {
	f, err := parseChat(args, out)
	if err != nil {
		return err
	}
	f.screen = term.IsTerminal(int(os.Stdin.Fd())) && term.IsTerminal(int(os.Stdout.Fd())) && !f.follow
	if !f.screen && !f.follow && f.to == "" {
		return errors.New("whom to? --to USER, or a room or conversation")
	}
	c, err := newChat(ctx, &f)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancelCause(ctx)
	done := make(chan error, 1)
	go func() {
		err := c.Run(ctx)
		if errors.Is(err, context.Cause(ctx)) {
			err = nil // it was asked to end
		}
		if !f.screen {
			stop(err) // a server that refuses us ends a script; a person sees why
		}
		done <- err
	}()
	err = converse(ctx, c, &f, out)
	stop(nil)
	return cmp.Or(<-done, err)
}

func newChat(ctx context.Context, f *chatFlags) (*client.Client, error) {
	folder, err := f.folder()
	if err != nil {
		return nil, err
	}
	store, err := f.open(ctx, folder)
	if err != nil {
		return nil, err
	}
	host, _ := os.Hostname() // without one the device has no name
	cfg := client.Config{
		URL: f.url, Guest: f.guest, Name: "linnet chat", Store: store, Rooms: []string{"lobby"},
		Device: wire.Device{ID: deviceID(host, folder), Platform: "terminal", Name: host[:min(len(host), 64)]},
	}
	if f.token != "" {
		cfg.Token = func(context.Context) (string, error) { return f.token, nil }
	}
	c, err := client.New(ctx, cfg)
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return c, nil
}

// open opens the store. Only one program at a time has the folder: a person's screen
// goes before scripts, which need not remember anything.
func (f *chatFlags) open(ctx context.Context, folder string) (client.Store, error) {
	if f.follow && f.state == "" {
		return client.NewMemory(), nil
	}
	store, err := disk.Open(ctx, folder)
	switch {
	case err == nil:
		return store, nil
	case !errors.Is(err, disk.ErrInUse):
		return nil, err
	case f.screen || f.state != "":
		return nil, fmt.Errorf("another linnet chat has this folder; --state names another: %w", err)
	}
	return client.NewMemory(), nil
}

// deviceID is the id of this installation: one for each folder.
func deviceID(host, folder string) string {
	sum := sha256.Sum256([]byte(host + "\x00" + folder))
	return "chat-" + base64.RawURLEncoding.EncodeToString(sum[:12])
}

// converse is the person's or the script's part.
func converse(ctx context.Context, c *client.Client, f *chatFlags, out io.Writer) error {
	switch {
	case f.follow:
		err := terminal.Follow(ctx, c, whereTo(f.to), f.since, f.json, out)
		if ctx.Err() != nil {
			return nil // that is how it ends
		}
		return err
	case !f.screen:
		s := terminal.Sender{Client: c, To: whereTo(f.to), Patience: f.wait, Errors: os.Stderr}
		return s.Send(ctx, os.Stdin)
	}
	feed := c.Feed()
	defer feed.Close()
	_, err := tea.NewProgram(terminal.New(ctx, c, feed, time.Now, f.to), tea.WithContext(ctx)).Run()
	if errors.Is(err, tea.ErrProgramKilled) {
		return nil // by a signal
	}
	return err
}

func whereTo(word string) wire.To {
	if word == "" {
		return wire.To{}
	}
	return terminal.To(word)
}
