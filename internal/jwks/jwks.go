// Package jwks keeps the public keys of an app's back end: a JSON Web Key Set from a file
// or from a URL, which is read again when the answer is no longer fresh, and when a token
// names a key that is not among them.
package jwks

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/linnet-im/linnet/internal/auth"
	"github.com/linnet-im/linnet/wire"
)

const (
	// usualAge is how long keys are fresh, when the answer says nothing; minAge
	// and maxAge bound what it says.
	usualAge = 10 * time.Minute
	minAge   = time.Minute
	maxAge   = 24 * time.Hour
	// askAgain is how often the source is asked at most: a flood of tokens that name unknown
	// keys is no flood there.
	askAgain = 5 * time.Second
	// retryAfter is when a source that did not answer is asked again, whatever tokens name.
	retryAfter = 30 * time.Second
	// askTime is how long an answer may take.
	askTime = 5 * time.Second
	// maxSet is the longest set that is read, in bytes.
	maxSet = 1 << 20
)

// Source is a set of keys. Its methods may be called concurrently.
type Source struct {
	where string
	log   *slog.Logger
	read  func(ctx context.Context) (set []byte, fresh time.Duration, err error)

	asking sync.Mutex // held while the source is asked
	asked  time.Time  // when it was asked last, whatever it answered; under asking

	mu   sync.Mutex
	keys []auth.Key
}

// New makes a source of a file's name or of a URL, https unless its host is this machine.
func New(where string, log *slog.Logger) (*Source, error) {
	s := &Source{where: where, log: log}
	if !strings.Contains(where, "://") {
		s.read = func(context.Context) ([]byte, time.Duration, error) {
			b, err := os.ReadFile(where)
			return b, minAge, err
		}
		return s, nil
	}
	u, err := url.Parse(where)
	if err != nil {
		return nil, err
	}
	if !trusted(u) {
		return nil, errors.New("a URL that begins with https://, or a file's name")
	}
	client := &http.Client{Timeout: askTime, CheckRedirect: follow}
	s.read = func(ctx context.Context) ([]byte, time.Duration, error) { return fetch(ctx, client, where) }
	return s, nil
}

// trusted says whether nobody between can change what a URL answers.
func trusted(u *url.URL) bool {
	addr, _ := netip.ParseAddr(u.Hostname())
	return u.Scheme == "https" || u.Scheme == "http" && (u.Hostname() == "localhost" || addr.IsLoopback())
}

// follow follows a few redirects, but none to where the first URL could not have led.
func follow(req *http.Request, via []*http.Request) error {
	if len(via) > 3 || !trusted(req.URL) {
		return fmt.Errorf("a redirect to %s is not followed", req.URL.Redacted())
	}
	return nil
}

func fetch(ctx context.Context, client *http.Client, where string) ([]byte, time.Duration, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, where, nil)
	if err != nil {
		return nil, 0, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, 0, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, 0, fmt.Errorf("it answered %s", resp.Status)
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxSet+1))
	if err == nil && len(b) > maxSet {
		err = fmt.Errorf("it is longer than %d bytes", maxSet)
	}
	return b, age(resp.Header.Get("Cache-Control")), err
}

// age reads max-age of Cache-Control (RFC 9111, 5.2.2.1).
func age(header string) time.Duration {
	for part := range strings.SplitSeq(header, ",") {
		if text, ok := strings.CutPrefix(strings.TrimSpace(strings.ToLower(part)), "max-age="); ok {
			if n, err := strconv.Atoi(text); err == nil {
				return min(max(time.Duration(n)*time.Second, minAge), maxAge)
			}
		}
	}
	return usualAge
}

// Run reads the keys, and reads them again each time they are no longer fresh, until ctx
// ends.
func (s *Source) Run(ctx context.Context) {
	for {
		timer := time.NewTimer(s.ask(ctx))
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

// Keys answers the keys there are, for a token that names one of them, "" for none. It
// blocks, for seconds at most, while the source is asked for a key that is not among them.
// Keys that were good once stay while the source does not answer; before it ever has, the
// error says to try again.
func (s *Source) Keys(id string) ([]auth.Key, error) {
	keys, named := s.have(id)
	if named {
		return keys, nil
	}
	s.ask(context.Background())
	if keys, _ = s.have(id); keys == nil {
		return nil, &wire.Error{
			Code: wire.CodeBusy, Message: "the keys that tokens are signed with cannot be had now", Outcome: wire.OutcomeRetry, RetryAfter: askAgain,
		}
	}
	return keys, nil
}

// have answers the keys, and whether the one named is among them.
func (s *Source) have(id string) (keys []auth.Key, named bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keys, s.keys != nil && (id == "" || slices.ContainsFunc(s.keys, func(k auth.Key) bool { return k.ID == id }))
}

// ask asks the source, unless it was asked a moment ago, and answers when to ask again.
func (s *Source) ask(ctx context.Context) time.Duration {
	s.asking.Lock()
	defer s.asking.Unlock()
	if soon := askAgain - time.Since(s.asked); soon > 0 {
		return soon
	}
	s.asked = time.Now()
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	set, fresh, err := s.read(ctx)
	var keys []auth.Key
	if err == nil {
		keys, err = auth.ParseKeys(set)
	}
	if err != nil {
		s.log.Warn("the keys of tokens were not read; those from before stay", slog.String("from", s.where), slog.Any("error", err))
		return retryAfter
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys = keys
	return fresh
}
