package transcript

import (
	"fmt"
	"regexp"
	"testing"
	"time"

	"github.com/linnet-im/linnet/internal/testkit"
)

// tokenForm is a token in a frame: "$token:alice" or "$token:alice:expired".
var tokenForm = regexp.MustCompile(`\$token:([a-z0-9]+)(?::([a-z]+))?`)

// keyForm is a new server key in a frame: "$key:read,send".
var keyForm = regexp.MustCompile(`\$key:([a-z,]+)`)

// makeToken makes a good token or one with the named fault.
func makeToken(t *testing.T, server *testkit.Server, user, fault string) (string, error) {
	t.Helper()
	exp := time.Now().Add(time.Hour).Unix()
	switch fault {
	case "":
		return server.TokenFor(t, user), nil
	case "expired":
		return server.Sign(t, testkit.Claims{"sub": user, "exp": time.Now().Add(-time.Hour).Unix()}), nil
	case "forged":
		return testkit.Token("HS256", []byte("another secret of thirty-two byte"), testkit.Claims{"sub": user, "exp": exp}), nil
	case "none":
		return testkit.Token("none", nil, testkit.Claims{"sub": user, "exp": exp}), nil
	case "guest":
		return server.Sign(t, testkit.Claims{"sub": "guest:" + user, "exp": exp}), nil
	case "endless":
		return server.Sign(t, testkit.Claims{"sub": user}), nil
	}
	return "", fmt.Errorf("token fault %q", fault)
}

// pause waits: some of what a peer does is to be slow.
func pause(d time.Duration) { time.Sleep(d) }
