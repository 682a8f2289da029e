package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/linnet-im/linnet/internal/api"
	"github.com/linnet-im/linnet/internal/auth"
	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/internal/config"
	"github.com/linnet-im/linnet/internal/store/sqlite"
	"github.com/linnet-im/linnet/wire"
)

// operateTime is how long the operator waits for a running server.
const operateTime = 30 * time.Second

// Operate calls a method as the operator of a data folder: of the server that runs on it, over
// loopback, or on the folder itself when none does. secret is LINNET_SECRET, "" for the
// one in the folder. Methods that need a user are refused.
func Operate(ctx context.Context, data, secret, method string, params, result any) error {
	if _, err := os.Stat(filepath.Join(data, "linnet.db")); err != nil {
		return fmt.Errorf("data: %q is no server's folder: %w; has linnet serve run with it?", data, err)
	}
	body, err := json.Marshal(params)
	if err != nil {
		return err
	}
	folder, err := config.OpenFolder(data)
	var answer []byte
	switch {
	case errors.Is(err, config.ErrHeld):
		answer, err = operateServer(ctx, data, secret, method, body)
	case err == nil:
		answer, err = operateFolder(ctx, data, method, body)
		err = errors.Join(err, folder.Close())
	}
	if err != nil {
		return err
	}
	return json.Unmarshal(answer, result)
}

// operateServer asks the server that runs on a folder.
func operateServer(ctx context.Context, data, given, method string, body []byte) ([]byte, error) {
	folder, err := config.ReadServing(data)
	if err != nil {
		return nil, err
	}
	addr, err := loopbackOf(folder)
	if err != nil {
		return nil, err
	}
	secret := []byte(given)
	if given == "" {
		if secret, err = config.ReadSecret(data); err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, operateTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+addr+"/v1/"+method, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+auth.SignOperator(secret, time.Now()))
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // no proxy of the environment: it is this machine
	resp, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("the server that runs on the folder does not answer at %s (one behind a proxy does not): %w", addr, err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil || resp.StatusCode == http.StatusOK {
		return answer, err
	}
	var problem struct{ Code, Detail string }
	if json.Unmarshal(answer, &problem) != nil || problem.Code == "" {
		return nil, fmt.Errorf("the server answers %s", resp.Status)
	}
	return nil, fmt.Errorf("%s (%s)", problem.Detail, problem.Code)
}

// loopbackOf gives the address by which a server that listens on addr is on loopback.
func loopbackOf(addr string) (string, error) {
	at, err := netip.ParseAddrPort(addr)
	switch {
	case err != nil:
		return "", fmt.Errorf("where the server listens: %w", err)
	case at.Addr().IsUnspecified():
		return net.JoinHostPort("127.0.0.1", fmt.Sprint(at.Port())), nil
	case !at.Addr().Unmap().IsLoopback():
		return "", fmt.Errorf("the server listens on %s and not on loopback: stop it for this, or call the method by a server key", addr)
	}
	return addr, nil
}

// operateFolder works on a folder that no server runs on, which the caller holds.
func operateFolder(ctx context.Context, data, method string, body []byte) (answer []byte, err error) {
	store, err := sqlite.Open(ctx, sqlite.Config{Path: filepath.Join(data, "linnet.db"), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	service, err := chat.New(ctx, chat.Config{Guests: chat.GuestsOff}, store, alone{})
	if err != nil {
		return nil, err
	}
	defer service.Close()
	m, bad := api.New(service, nil).Find(method)
	if bad != nil {
		return nil, bad
	}
	result, bad := m.Call(ctx, operator{}, body)
	if bad != nil {
		return nil, bad
	}
	return wire.AppendJSON(nil, result)
}

// alone is a bus with nobody on it.
type alone struct{}

func (alone) Publish(batch []chat.Commit) {
	for i := range batch {
		batch[i].Answer()
		batch[i].Flush()
	}
}

func (alone) Notify(chat.Notice) {}

// operator calls what needs neither a user nor a session.
type operator struct{ api.Caller }

func (operator) SignToken(chat.UserID, string, time.Duration) (string, time.Time, error) {
	return "", time.Time{}, wire.Errorf(wire.CodeForbidden, "linnet token makes tokens")
}

func (operator) Actor() (chat.Actor, bool) {
	return chat.Actor{Server: true, Key: chat.Operator()}, true
}
