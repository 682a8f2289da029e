// Package ws is the server's side of WebSocket (RFC 6455): the handshake, and frames as
// bytes. It has no goroutines and no buffers of its own, so that a WebSocket connection
// is read and written like any other.
package ws

import (
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"
)

// keyGUID is RFC 6455's, section 1.3.
const keyGUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

// Refusal is why a handshake was refused, with the status it is answered with.
type Refusal struct {
	Status int
	Reason string
}

func (r *Refusal) Error() string { return r.Reason }

// Accept answers a handshake and takes the connection over. prefix is what the client
// has sent behind it. On a *Refusal nothing was answered yet; the headers that a
// 426 needs are set.
func Accept(w http.ResponseWriter, r *http.Request) (c net.Conn, prefix []byte, err error) {
	key := r.Header.Get("Sec-WebSocket-Key")
	raw, keyErr := base64.StdEncoding.DecodeString(key)
	switch {
	case r.Method != http.MethodGet || r.ProtoMajor != 1 || r.ProtoMinor < 1:
		return nil, nil, &Refusal{http.StatusBadRequest, "a WebSocket begins with GET over HTTP/1.1"}
	case !hasToken(r.Header, "Connection", "upgrade") || !hasToken(r.Header, "Upgrade", "websocket"):
		askFor(w.Header())
		return nil, nil, &Refusal{http.StatusUpgradeRequired, "this is a WebSocket: send Connection: Upgrade and Upgrade: websocket"}
	case r.Header.Get("Sec-WebSocket-Version") != "13":
		askFor(w.Header())
		return nil, nil, &Refusal{http.StatusUpgradeRequired, "WebSocket version 13 is spoken here"}
	case keyErr != nil || len(raw) != 16:
		return nil, nil, &Refusal{http.StatusBadRequest, "Sec-WebSocket-Key is 16 bytes in base64"}
	}
	c, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return nil, nil, fmt.Errorf("take over the connection: %w", err)
	}
	// net/http's buffers, 8 KB, go when nothing refers to rw any more.
	if n := rw.Reader.Buffered(); n > 0 {
		peeked, _ := rw.Reader.Peek(n) // buffered already: it cannot fail
		prefix = append(prefix, peeked...)
	}
	sum := sha1.Sum([]byte(key + keyGUID))
	answer := "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Accept: " + base64.StdEncoding.EncodeToString(sum[:]) + "\r\n\r\n"
	_ = c.SetDeadline(time.Now().Add(5 * time.Second)) // a closed connection fails at the write
	if _, err := c.Write([]byte(answer)); err != nil {
		_ = c.Close()
		return nil, nil, fmt.Errorf("answer the handshake: %w", err)
	}
	_ = c.SetDeadline(time.Time{})
	return c, prefix, nil
}

// askFor says what a client should have asked for.
func askFor(h http.Header) {
	h.Set("Upgrade", "websocket")
	h.Set("Sec-WebSocket-Version", "13")
}

// hasToken says whether a header's list has a token, whatever its case.
func hasToken(h http.Header, name, token string) bool {
	for _, line := range h.Values(name) {
		for part := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(part), token) {
				return true
			}
		}
	}
	return false
}
