package rest

import (
	"context"
	"crypto/tls"
	"iter"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/linnet-im/linnet/internal/api"
	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/internal/presence"
	"github.com/linnet-im/linnet/internal/session"
	"github.com/linnet-im/linnet/wire"
)

// caller is who sends a request: the user of its bearer token, or nobody yet.
type caller struct {
	server   *server
	loopback bool
	identity *session.Admission
}

// authenticate reads the bearer token, if there is one.
func (c *caller) authenticate(r *http.Request) *wire.Error {
	p, bad := c.server.credentials(r, c.loopback)
	if bad != nil || p == nil {
		return bad
	}
	if c.server.cfg.Verifier.IsOperator(p.Token) {
		return c.operator(p.Token)
	}
	// The session id of the token is kept; a token of the back end has none. A call is not
	// undone when its client goes, so its caller is found out all the same.
	id, err := c.server.cfg.Hub.Authenticate(context.WithoutCancel(r.Context()), p)
	if err != nil {
		return api.Error(err)
	}
	c.identity = &id
	signedIn(r)
	return nil
}

// connKey is the key of the connection in a request's context.
type connKey struct{}

// ConnContext is for http.Server: it lets the handler say that a connection's requests
// are somebody's, so that it counts for its address no more.
func ConnContext(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

func signedIn(r *http.Request) {
	for nc := range layers(r) {
		if c, ok := nc.(interface{ SignedIn() }); ok {
			c.SignedIn()
			return
		}
	}
}

// overTLS says whether a request came by TLS, also by one that negotiated no HTTP.
func overTLS(r *http.Request) bool {
	for nc := range layers(r) {
		if _, ok := nc.(*tls.Conn); ok {
			return true
		}
	}
	return r.TLS != nil
}

// layers gives a request's connection and what it lies on, down to the socket.
func layers(r *http.Request) iter.Seq[net.Conn] {
	return func(yield func(net.Conn) bool) {
		nc, _ := r.Context().Value(connKey{}).(net.Conn)
		for nc != nil && yield(nc) {
			below, ok := nc.(interface{ NetConn() net.Conn })
			if !ok {
				return
			}
			nc = below.NetConn()
		}
	}
}

// bearer reads the bearer token (RFC 6750), "" for none.
func bearer(r *http.Request) (string, *wire.Error) {
	header := r.Header.Get("Authorization")
	if header == "" {
		return "", nil
	}
	scheme, token, _ := strings.Cut(header, " ")
	token = strings.TrimSpace(token)
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return "", wire.Errorf(wire.CodeToken, "Authorization: Bearer and a token")
	}
	return token, nil
}

func (c *caller) Actor() (chat.Actor, bool) {
	if c.identity == nil {
		return chat.Actor{}, false
	}
	return c.identity.Actor(c.loopback), true
}

// Open answers a bearer token for the session, good for an hour.
func (c *caller) Open(ctx context.Context, p *wire.OpenParams) (wire.OpenResult, error) {
	if len(p.Rooms) > 0 {
		return wire.OpenResult{}, needsSocket()
	}
	if p.Key != "" {
		return wire.OpenResult{}, paramError("key", "key: over HTTP a server key is the bearer token of each call")
	}
	id, err := c.server.cfg.Hub.Authenticate(ctx, p)
	if err != nil {
		return wire.OpenResult{}, err
	}
	if err := c.server.cfg.Hub.SignInAlone(ctx, &id, p.Device); err != nil {
		return wire.OpenResult{}, err
	}
	result, err := c.server.cfg.Hub.Opened(ctx, id, c.server.cfg.Chat.Position())
	if err != nil {
		return wire.OpenResult{}, err
	}
	result.Token, _, err = c.server.cfg.Verifier.IssueSession(id.Identity)
	return result, err
}

func needsSocket() error {
	return wire.Errorf(wire.CodeForbidden, "this needs a live connection: a socket")
}

func (c *caller) CloseSession() error { return needsSocket() }

func (c *caller) Ack(string) error { return needsSocket() }

func (c *caller) JoinRoom(context.Context, chat.ConversationID) (wire.RoomResult, error) {
	return wire.RoomResult{}, needsSocket()
}

func (c *caller) LeaveRoom(chat.ConversationID) error { return needsSocket() }

func (c *caller) SetState(presence.State) error { return needsSocket() }

func (c *caller) Watch(context.Context, []chat.UserID) (wire.PresenceResult, error) {
	return wire.PresenceResult{}, needsSocket()
}

func (c *caller) Unwatch([]chat.UserID) error { return needsSocket() }

func (c *caller) Signed() api.Signed { return c.server.cfg.Hub.Signed(&c.identity.Identity) }

func seconds(d time.Duration) string {
	return strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10)
}
