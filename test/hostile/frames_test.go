package hostile

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/linnet-im/linnet/internal/testkit"
)

// giant is far more than any frame may have, and than the server may hold.
const giant = 2 * maxRSS

// A frame without an end costs no memory, whatever link it begins as. Whether the server
// reads on to the frame's end or closes is its own affair; that it stalls is not.
func TestGiantFrames(t *testing.T) {
	server := testkit.Start(t)
	b := newBystander(t, server)
	piece := bytes.Repeat([]byte("x"), 64<<10)
	for _, begin := range []string{
		`{"id":1,"method":"ping","params":{"x":"`,
		"[",
		"msg:",
		"iam:",
		"iam:giant\nmsg:",
		"POST /v1/ping HTTP/1.1\r\nHost: localhost\r\nX-Giant: ",
		"POST /v1/ping HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1073741824\r\n\r\n",
		"GET /",
		strings.Repeat("x", 100),
	} {
		t.Run(fmt.Sprintf("%.10q", begin), func(t *testing.T) {
			c := dial(t, server)
			if _, err := io.WriteString(c, begin); err != nil {
				t.Fatal(err)
			}
			n, err := pour(c, piece, giant)
			var e net.Error
			if errors.As(err, &e) && e.Timeout() {
				t.Errorf("the server neither reads nor closes after %d KB", n>>10)
			}
			b.unhurt()
		})
	}
}

// A frame within the stream's limits but over the frame's is answered with a clear code.
func TestFrameOverTheLimit(t *testing.T) {
	server := testkit.Start(t)
	b := newBystander(t, server)
	c := dial(t, server)
	var open struct {
		Limits struct {
			FrameBytes   int `json:"frame_bytes"`
			ContentBytes int `json:"content_bytes"`
		}
	}
	if err := server.Dial(t).Call("session.open", map[string]string{"guest": "probe"}, &open); err != nil {
		t.Fatal(err)
	}
	frame := fmt.Sprintf(`{"id":1,"method":"ping","params":{"x":%q}}`+"\n", strings.Repeat("x", open.Limits.FrameBytes))
	if _, err := io.WriteString(c, frame); err != nil {
		t.Fatal(err)
	}
	if err := c.SetReadDeadline(time.Now().Add(testkit.Patience)); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(c).ReadString('\n')
	if err != nil || !strings.Contains(line, `"too_large"`) {
		t.Errorf("a frame over the limit: %q, %v", line, err)
	}

	overHTTP := &testkit.HTTP{Server: server}
	_, err = overHTTP.Post("ping", bytes.Repeat([]byte(" "), open.Limits.FrameBytes+1))
	var p *testkit.Problem
	if !errors.As(err, &p) || p.Status != http.StatusRequestEntityTooLarge || p.Fields["code"] != "too_large" {
		t.Errorf("a body over the limit: %v", err)
	}

	long := strings.Repeat("x", open.Limits.ContentBytes)
	err = b.client.Call("messages.send", testkit.Message("lobby", "01938d5e-0000-7000-8000-000000000001", long), nil)
	if testkit.Code(err) != "too_large" {
		t.Errorf("a content over the limit: %v", err)
	}
	b.unhurt()
}

// Deep JSON is refused by its depth, not by the stack's end; the connection lives on.
func TestDeepJSON(t *testing.T) {
	server := testkit.Start(t)
	b := newBystander(t, server)
	for _, open := range []string{"[", `{"a":`} {
		deep := strings.Repeat(open, 10_000)
		frame := []byte(`{"id":1,"method":"ping","params":` + deep)
		for name, dial := range map[string]func() (testkit.Conn, error){"lines": server.DialLines, "websocket": server.DialWebSocket} {
			c, err := dial()
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if err := c.Send(frame); err != nil {
				t.Fatal(err)
			}
			if got := codeOf(t, c); got != "parse_error" {
				t.Errorf("%s: deep %s answers %q", name, open, got)
			}
			if err := c.Send([]byte(`{"id":2,"method":"ping"}`)); err != nil {
				t.Fatal(err)
			}
			if got := codeOf(t, c); got != "" {
				t.Errorf("%s: ping after it answers %q", name, got)
			}
		}
		_, err := (&testkit.HTTP{Server: server}).Post("ping", []byte(deep))
		var p *testkit.Problem
		if !errors.As(err, &p) || p.Status != http.StatusBadRequest {
			t.Errorf("http: %v", err)
		}
	}
	b.unhurt()
}

// codeOf reads an answer and gives its error's code, "" for a result.
func codeOf(t *testing.T, c testkit.Conn) string {
	t.Helper()
	frame, err := c.Receive(testkit.Patience)
	if err != nil {
		t.Fatal(err)
	}
	var answer struct {
		Result json.RawMessage
		Error  *testkit.Error
	}
	if err := json.Unmarshal(frame, &answer); err != nil {
		t.Fatalf("%s: %v", frame, err)
	}
	if answer.Error != nil {
		return answer.Error.Data.Code
	}
	return ""
}

// shake does a WebSocket handshake on a bare connection, to send frames no library sends.
func shake(t *testing.T, server *testkit.Server) (net.Conn, *bufio.Reader) {
	t.Helper()
	c := dial(t, server)
	fmt.Fprintf(c, "GET /v1/socket HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", server.Addr)
	in := bufio.NewReader(c)
	resp, err := http.ReadResponse(in, nil)
	if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("handshake: %v, %v", resp, err)
	}
	return c, in
}

func TestHostileWebSocketFrames(t *testing.T) {
	server := testkit.Start(t)
	b := newBystander(t, server)
	for name, frame := range map[string]string{
		"2^62 bytes announced":    "\x81\xff\x40\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",
		"negative length":         "\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00",
		"not masked":              "\x81\x02{}",
		"reserved bits":           "\xf1\x80\x00\x00\x00\x00",
		"unknown op code":         "\x83\x80\x00\x00\x00\x00",
		"ping of 126 bytes":       "\x89\xfe\x00\x7e\x00\x00\x00\x00",
		"ping in fragments":       "\x09\x80\x00\x00\x00\x00",
		"continuation of nothing": "\x80\x80\x00\x00\x00\x00",
		"message in a message":    "\x01\x81\x00\x00\x00\x00{\x81\x81\x00\x00\x00\x00{",
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := shake(t, server)
			if _, err := io.WriteString(c, frame); err != nil {
				t.Fatal(err)
			}
			ends(t, c, testkit.Patience)
		})
	}
	b.unhurt()
}

// A message in very many fragments is bounded as a whole one is, and a small one is served.
func TestManyFragments(t *testing.T) {
	server := testkit.Start(t)
	b := newBystander(t, server)
	ctx, cancel := context.WithTimeout(t.Context(), testkit.Patience)
	defer cancel()
	c, _, err := websocket.Dial(ctx, "ws://"+server.Addr+"/v1/socket", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	w, err := c.Writer(ctx, websocket.MessageText)
	if err != nil {
		t.Fatal(err)
	}
	for _, char := range `{"id":1,"method":"ping"}` {
		if _, err := io.WriteString(w, string(char)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, answer, err := c.Read(ctx); err != nil || !strings.Contains(string(answer), `"result"`) {
		t.Fatalf("a call in fragments of a byte: %s, %v", answer, err)
	}

	raw, _ := shake(t, server)
	first, more := "\x01\x81\x00\x00\x00\x00x", "\x00\x81\x00\x00\x00\x00x"
	if _, err := io.WriteString(raw, first); err != nil {
		t.Fatal(err)
	}
	if n, err := pour(raw, []byte(strings.Repeat(more, 8<<10)), giant/8); err == nil {
		t.Errorf("the server took one message of %d fragments", n/len(more))
	}
	b.unhurt()
}
