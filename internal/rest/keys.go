package rest

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/linnet-im/linnet/internal/api"
	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/internal/session"
	"github.com/linnet-im/linnet/wire"
)

// userHeader names the user that a server key acts for, percent-encoded (RFC 3986, 2.1)
// where that is not plain ASCII: not every client can send other bytes.
const userHeader = "Linnet-User"

// credentials reads what a request is authorised by: a token, or a server key and its
// user; nil when there is nothing.
func (s *server) credentials(r *http.Request, loopback bool) (*wire.OpenParams, *wire.Error) {
	token, bad := bearer(r)
	users := r.Header.Values(userHeader)
	key := strings.HasPrefix(token, chat.KeyPrefix)
	switch {
	case bad != nil:
		return nil, bad
	case len(users) > 1:
		return nil, paramError(userHeader, userHeader+": given more than once")
	case len(users) == 1 && !key:
		return nil, paramError(userHeader, userHeader+" is for server keys: a token says its user itself")
	case token == "":
		return nil, nil
	case !key:
		return &wire.OpenParams{Token: token}, nil
	}
	if err := s.cfg.Hub.TakesKeys(loopback); err != nil {
		return nil, api.Error(err)
	}
	p := &wire.OpenParams{Key: token}
	if len(users) == 1 {
		user, err := url.PathUnescape(users[0])
		if err != nil || user == "" {
			return nil, paramError(userHeader, userHeader+": a user id, percent-encoded")
		}
		p.User = user
	}
	return p, nil
}

// operator lets who holds the folder's secret, on this machine, do everything that needs
// no user.
func (c *caller) operator(pass string) *wire.Error {
	if !c.loopback || !c.server.cfg.Verifier.Operator(pass) {
		return wire.Errorf(wire.CodeToken, "this is good on the server's own machine, for a minute")
	}
	id, err := session.KeyIdentity(chat.Operator(), "")
	if err != nil {
		return api.Error(err)
	}
	c.identity = &session.Admission{Identity: id}
	return nil
}

// SignToken is api.Caller's.
func (c *caller) SignToken(user chat.UserID, name string, life time.Duration) (string, time.Time, error) {
	return c.server.cfg.Verifier.Sign(user, name, life)
}
