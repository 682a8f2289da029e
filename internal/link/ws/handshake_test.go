package ws

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// serve answers every text with itself, every ping with a pong, every close with its code.
func serve(t *testing.T) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, prefix, err := Accept(w, r)
		if err != nil {
			var refused *Refusal
			if errors.As(err, &refused) {
				http.Error(w, refused.Reason, refused.Status)
			}
			return
		}
		defer func() { _ = c.Close() }()
		write := func(frame []byte) error { _, err := c.Write(frame); return err }
		h := &funcs{
			text:  func(m []byte) error { return write(AppendText(nil, m)) },
			ping:  func(p []byte) error { return write(AppendPong(nil, p)) },
			pong:  func() {},
			ended: func(code int, reason string) error { return &Error{code, reason} },
		}
		cutter := Cutter{Max: 64 << 10}
		err = cutter.Feed(prefix, h)
		buf := make([]byte, 1000)
		for err == nil {
			var n int
			if n, err = c.Read(buf); err == nil {
				err = cutter.Feed(buf[:n], h)
			}
		}
		var closing *Error
		if errors.As(err, &closing) {
			_ = write(AppendClose(nil, closing.Code, closing.Reason))
			_, _ = io.Copy(io.Discard, c) // else the unread rest resets the connection
		}
	}))
	t.Cleanup(server.Close)
	return server
}

// An independent client agrees with both ways.
func TestWithAnotherImplementation(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	url := "ws" + strings.TrimPrefix(serve(t).URL, "http")
	c, _, err := websocket.Dial(ctx, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.CloseNow() }()
	c.SetReadLimit(1 << 20)
	for _, n := range []int{0, 1, 125, 126, 1000, 64 << 10} {
		want := strings.Repeat("吃", n/3) + strings.Repeat("x", n%3)
		if err := c.Write(ctx, websocket.MessageText, []byte(want)); err != nil {
			t.Fatal(err)
		}
		if _, got, err := c.Read(ctx); err != nil || string(got) != want {
			t.Fatalf("%d bytes: %d came back, %v", n, len(got), err)
		}
	}
	// In fragments: a Writer sends one for each Write.
	w, err := c.Writer(ctx, websocket.MessageText)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Repeat("fragment ", 6000)
	for part := range slices.Chunk([]byte(want), 4001) {
		if _, err := w.Write(part); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, got, err := c.Read(ctx); err != nil || string(got) != want {
		t.Fatalf("%d bytes came back of %d, %v", len(got), len(want), err)
	}
	read := c.CloseRead(ctx) // a ping's answer is seen by a reader
	if err := c.Ping(ctx); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(4321, "enough"); err != nil {
		t.Fatalf("the close was not answered: %v", err)
	}
	<-read.Done()
}

func TestWhatIsRefusedSaysWhy(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	url := "ws" + strings.TrimPrefix(serve(t).URL, "http")
	for _, tt := range []struct {
		kind websocket.MessageType
		data string
		code websocket.StatusCode
	}{
		{websocket.MessageBinary, "x", CloseData},
		{websocket.MessageText, "\xff", CloseUTF8},
		{websocket.MessageText, strings.Repeat("x", 64<<10+1), CloseTooLong},
	} {
		c, _, err := websocket.Dial(ctx, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Write(ctx, tt.kind, []byte(tt.data)); err != nil {
			t.Fatal(err)
		}
		if _, _, err := c.Read(ctx); websocket.CloseStatus(err) != tt.code {
			t.Errorf("%.5q: %v, want %d", tt.data, err, tt.code)
		}
		_ = c.CloseNow()
	}
}

func TestHandshake(t *testing.T) {
	addr := serve(t).Listener.Addr().String()
	const key = "dGhlIHNhbXBsZSBub25jZQ==" // RFC 6455, section 1.3
	good := "Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + key + "\r\n"
	for _, tt := range []struct {
		name, line, header string
		status             int
	}{
		{"good", "GET / HTTP/1.1", good, 101},
		{"POST", "POST / HTTP/1.1", good, 400},
		{"HTTP/1.0", "GET / HTTP/1.0", good, 400},
		{"no Connection", "GET / HTTP/1.1", strings.Replace(good, "Connection", "X", 1), 426},
		{"no Upgrade", "GET / HTTP/1.1", strings.Replace(good, "\nUpgrade", "\nX", 1), 426},
		{"another upgrade", "GET / HTTP/1.1", strings.Replace(good, "WebSocket\r", "h2c\r", 1), 426},
		{"version 8", "GET / HTTP/1.1", strings.Replace(good, "13", "8", 1), 426},
		{"no key", "GET / HTTP/1.1", strings.Replace(good, "Key", "X", 1), 400},
		{"short key", "GET / HTTP/1.1", strings.Replace(good, key, "c2hvcnQ=", 1), 400},
		{"key of no base64", "GET / HTTP/1.1", strings.Replace(good, key, "?", 1), 400},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := net.Dial("tcp", addr)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = c.Close() }()
			_ = c.SetDeadline(time.Now().Add(20 * time.Second))
			// The first frame is glued to the handshake.
			if _, err := fmt.Fprintf(c, "%s\r\nHost: a\r\n%s\r\n%s", tt.line, tt.header, masked(fin|opText, "eager")); err != nil {
				t.Fatal(err)
			}
			in := bufio.NewReader(c)
			res, err := http.ReadResponse(in, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = res.Body.Close() }()
			if res.StatusCode != tt.status {
				t.Fatalf("status %d, want %d", res.StatusCode, tt.status)
			}
			if tt.status == 426 && (res.Header.Get("Sec-WebSocket-Version") != "13" || res.Header.Get("Upgrade") != "websocket") {
				t.Errorf("does not say what to ask for: %v", res.Header)
			}
			if tt.status != 101 {
				return
			}
			if got := res.Header.Get("Sec-WebSocket-Accept"); got != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
				t.Errorf("accept %q", got)
			}
			frame := make([]byte, 7)
			if _, err := io.ReadFull(in, frame); err != nil || string(frame) != "\x81\x05eager" {
				t.Errorf("got %q, %v", frame, err)
			}
		})
	}
}
