// Package auth says who a token stands for. Two kinds are taken: tokens that the app's
// back end makes with the server's secret, and the server's own session tokens, which
// also stand for guests. The two have different keys, so that neither can pass for the
// other.
package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/wire"
)

const (
	// Leeway is how far the clocks of the back end and the server may be apart.
	Leeway = 30 * time.Second
	// sessionTime is how long a session token is good.
	sessionTime = time.Hour
	// sessionAudience marks session tokens.
	sessionAudience = "linnet:session"
	// maxToken is the longest token looked at, in bytes.
	maxToken = 4096
)

// Identity is who a token, or a guest's name, stands for.
type Identity struct {
	User    chat.UserID
	Name    string // the token's name claim, "" for none
	Guest   bool
	Session string     // of a session token
	Device  string     // of a session token, "" for none named
	Expires time.Time  // zero: never
	Key     *chat.Key  // the server key that acts for the user; nil for people
	Token   chat.Token // what is known of the token; of a session token, ID and Expires of the one it came from
}

// Config configures a Verifier.
type Config struct {
	Secret   []byte           // the server's secret, as in the file
	Issuer   string           // what iss must be; "" for anything
	Audience string           // what aud must hold; "" for anything
	Now      func() time.Time // the clock; nil: time.Now
	// Keys answers public keys that tokens may be signed with, for a token that names one by
	// id ("" names none); nil: there are none. It may block.
	Keys func(id string) ([]Key, error)
}

// Verifier checks and makes tokens. Its methods may be called concurrently; Verify blocks
// as long as Config.Keys does, the others do not.
type Verifier struct {
	cfg        Config
	sessionKey []byte
	parser     *jwt.Parser
	byKeys     *jwt.Parser // of tokens that Keys have signed
	session    *jwt.Parser
	macs       sync.Pool // of hash.Hash, by sessionKey
}

// New makes a Verifier.
func New(cfg Config) *Verifier {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	// The algorithm is ours to say, never the token's.
	bySecret, byKeys := jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}), jwt.WithValidMethods(asymmetric())
	common := []jwt.ParserOption{
		jwt.WithExpirationRequired(), jwt.WithLeeway(Leeway), jwt.WithTimeFunc(cfg.Now),
		jwt.WithStrictDecoding(),
	}
	options := append([]jwt.ParserOption{}, common...)
	if cfg.Issuer != "" {
		options = append(options, jwt.WithIssuer(cfg.Issuer))
	}
	if cfg.Audience != "" {
		options = append(options, jwt.WithAudience(cfg.Audience))
	}
	mac := hmac.New(sha256.New, cfg.Secret)
	mac.Write([]byte("linnet session token"))
	sessionKey := mac.Sum(nil)
	return &Verifier{
		cfg: cfg, sessionKey: sessionKey,
		macs:    sync.Pool{New: func() any { return hmac.New(sha256.New, sessionKey) }},
		parser:  jwt.NewParser(append([]jwt.ParserOption{bySecret}, options...)...),
		byKeys:  jwt.NewParser(append([]jwt.ParserOption{byKeys}, options...)...),
		session: jwt.NewParser(append([]jwt.ParserOption{bySecret, jwt.WithAudience(sessionAudience)}, common...)...),
	}
}

// claims are the claims of both kinds of tokens.
type claims struct {
	jwt.RegisteredClaims
	Name    string `json:"name,omitempty"`
	Session string `json:"sid,omitempty"`
	Device  string `json:"did,omitempty"`
	// The token that a session token came from: its id, and when it expires.
	Origin        string           `json:"oid,omitempty"`
	OriginExpires *jwt.NumericDate `json:"oxp,omitempty"`
}

// Verify says who a token stands for. Its errors are *wire.Error with CodeToken or
// CodeExpired, or those of Config.Keys.
func (v *Verifier) Verify(token string) (Identity, error) {
	if len(token) > maxToken {
		return Identity{}, wire.Errorf(wire.CodeToken, "a token has at most %d bytes", maxToken)
	}
	if v.cfg.Keys != nil && signedByKeys(token) {
		var c claims
		if _, err := v.byKeys.ParseWithClaims(token, &c, v.keyOf); err != nil {
			return Identity{}, tokenError(err)
		}
		return v.identity(&c, token, false)
	}
	parser, key, ours := v.parser, v.cfg.Secret, v.isOurs(token)
	if ours {
		parser, key = v.session, v.sessionKey
	}
	var c claims
	if _, err := parser.ParseWithClaims(token, &c, v.key(key)); err != nil {
		return Identity{}, tokenError(err)
	}
	return v.identity(&c, token, ours)
}

// isOurs says whether a token's signature is by the session key, and so which kind it is to
// be checked as.
func (v *Verifier) isOurs(token string) bool {
	end := strings.LastIndexByte(token, '.')
	if end < 0 {
		return false
	}
	mac := v.macs.Get().(hash.Hash)
	defer v.macs.Put(mac)
	mac.Reset()
	_, _ = io.WriteString(mac, token[:end]) // a hash takes everything
	signature := base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
	return hmac.Equal([]byte(signature), []byte(token[end+1:]))
}

func (v *Verifier) key(key []byte) jwt.Keyfunc {
	return func(t *jwt.Token) (any, error) {
		// crit names extensions that must be understood (RFC 7515, 4.1.11): there are none.
		if _, ok := t.Header["crit"]; ok {
			return nil, errors.New("a critical extension")
		}
		return key, nil
	}
}

// identity reads the claims of a token whose signature and times are right.
func (v *Verifier) identity(c *claims, token string, ours bool) (Identity, error) {
	id := Identity{
		User: chat.UserID(c.Subject), Name: c.Name, Session: c.Session, Device: c.Device, Expires: c.ExpiresAt.Time,
		Token: chat.Token{ID: tokenID(token), Expires: c.ExpiresAt.Time},
	}
	if c.IssuedAt != nil {
		id.Token.Issued = c.IssuedAt.Time
	}
	id.Guest = id.User.IsGuest()
	if err := chat.CheckUserID(id.User); err != nil {
		return Identity{}, wire.Errorf(wire.CodeToken, "the token's sub is no user id: %v", err)
	}
	if id.Guest && !ours {
		return Identity{}, wire.Errorf(wire.CodeToken, "no token may claim to be a guest")
	}
	switch {
	case !ours:
		id.Session, id.Device = "", ""
	case c.Origin != "" && c.OriginExpires != nil:
		id.Token.ID, id.Token.Expires = c.Origin, c.OriginExpires.Time
	}
	if id.Name != "" && chat.CheckName(id.Name) != nil {
		id.Name = ""
	}
	return id, nil
}

// tokenID names a token without being of use to who reads it. It is of what is signed, not
// of the signature: of an ECDSA signature anybody can make another that is also right,
// and a revoked token may not come back under another name.
func tokenID(token string) string {
	sum := sha256.Sum256([]byte(token[:strings.LastIndexByte(token, '.')]))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// tokenError tells what is wrong with a token without telling what would be right.
func tokenError(err error) error {
	if own, ok := errors.AsType[*wire.Error](err); ok {
		return own // the keys cannot be had
	}
	switch {
	case errors.Is(err, jwt.ErrTokenExpired):
		return wire.Errorf(wire.CodeExpired, "the token has expired")
	case errors.Is(err, jwt.ErrTokenNotValidYet), errors.Is(err, jwt.ErrTokenUsedBeforeIssued):
		return wire.Errorf(wire.CodeToken, "the token is not valid yet")
	case errors.Is(err, jwt.ErrTokenRequiredClaimMissing):
		return wire.Errorf(wire.CodeToken, "the token needs sub and exp, and the claims the server is set to ask for")
	case errors.Is(err, jwt.ErrTokenInvalidIssuer):
		return wire.Errorf(wire.CodeToken, "the token's iss is not the one this server takes")
	case errors.Is(err, jwt.ErrTokenInvalidAudience):
		return wire.Errorf(wire.CodeToken, "the token's aud is not the one this server takes")
	}
	return wire.Errorf(wire.CodeToken, "the token is not a JWT signed (HS256) with this server's secret, or by a key that it is set to take")
}

// Sign makes a token as a back end does. What Verify would not take is refused, and a
// ttl that is not positive.
func Sign(secret []byte, user chat.UserID, name string, now time.Time, ttl time.Duration, iss, aud string) (string, error) {
	if err := chat.CheckUserID(user); err != nil {
		return "", err
	}
	if user.IsGuest() {
		return "", errors.New("no token stands for a guest")
	}
	if name != "" {
		if err := chat.CheckName(name); err != nil {
			return "", err
		}
	}
	if ttl <= 0 {
		return "", errors.New("ttl: how long the token is to be good, for example 24h")
	}
	c := claims{RegisteredClaims: jwt.RegisteredClaims{
		Subject: string(user), Issuer: iss, IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(ttl)),
	}, Name: name}
	if aud != "" {
		c.Audience = jwt.ClaimStrings{aud}
	}
	return sign(&c, secret)
}

// IssueSession makes a session token for an identity, good for an hour. A user's is not
// good for longer than the token it came from; a guest's is renewed by another.
func (v *Verifier) IssueSession(id Identity) (token string, expires time.Time, err error) {
	now := v.cfg.Now()
	expires = now.Add(sessionTime)
	if !id.Guest && !id.Expires.IsZero() && id.Expires.Before(expires) {
		expires = id.Expires
	}
	c := claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Subject: string(id.User), Audience: jwt.ClaimStrings{sessionAudience},
			IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(expires),
		}, Name: id.Name, Session: id.Session, Device: id.Device,
	}
	if id.Token.ID != "" && !id.Guest {
		c.Origin, c.OriginExpires = id.Token.ID, jwt.NewNumericDate(id.Token.Expires)
	}
	token, err = sign(&c, v.sessionKey)
	return token, expires, err
}

func sign(c *claims, key []byte) (string, error) {
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, c).SignedString(key)
	if err != nil {
		return "", fmt.Errorf("sign a token: %w", err)
	}
	return token, nil
}

// Sign makes a token as the app's back end does, such as this verifier takes.
func (v *Verifier) Sign(user chat.UserID, name string, life time.Duration) (token string, expires time.Time, err error) {
	now := v.cfg.Now()
	token, err = Sign(v.cfg.Secret, user, name, now, life, v.cfg.Issuer, v.cfg.Audience)
	return token, now.Add(life), err
}
