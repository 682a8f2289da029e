package bench

import (
	"encoding/json"
	"net"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/linnet-im/linnet/wire"
)

func TestClassify(t *testing.T) {
	for _, c := range []struct {
		name, frame string
		kind        frameKind
		id          int64
		fails       string
	}{
		{"answer", `{"jsonrpc":"2.0","id":42,"result":{"conversation":"d_x","seq":7}}`, answerFrame, 42, ""},
		{"event", `{"jsonrpc":"2.0","method":"event","params":{"conversation":"d_x","seq":7}}`, eventFrame, 0, ""},
		{"notice", `{"jsonrpc":"2.0","method":"checkpoint","params":{"cursor":"c"}}`, otherFrame, 0, ""},
		{"refusal", `{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"slow down","data":{"code":"rate_limited"}}}`, 0, 0, "slow down (rate_limited)"},
		{"no id", `{"jsonrpc":"2.0","result":{}}`, 0, 0, "not understood"},
		{"rubbish", `hello`, 0, 0, "not understood"},
	} {
		t.Run(c.name, func(t *testing.T) {
			kind, id, err := classify([]byte(c.frame))
			if c.fails != "" {
				if err == nil || !strings.Contains(err.Error(), c.fails) {
					t.Fatalf("error %v, want one with %q", err, c.fails)
				}
				return
			}
			if err != nil || kind != c.kind || id != c.id {
				t.Fatalf("got %d, id %d, %v", kind, id, err)
			}
		})
	}
}

func TestSendFrame(t *testing.T) {
	var frame struct {
		ID     int64
		Method string
		Params wire.SendParams
	}
	ids := newClientID()
	b := appendSend(nil, 77, "d_x", ids, payloadText)
	if err := json.Unmarshal(b, &frame); err != nil {
		t.Fatalf("not JSON: %v: %s", err, b)
	}
	if frame.ID != 77 || frame.Method != "messages.send" || frame.Params.To.Conversation != "d_x" {
		t.Errorf("frame: %s", b)
	}
	id, err := uuid.Parse(frame.Params.ClientID)
	if err != nil || id.Version() != 7 || id.Variant() != uuid.RFC4122 {
		t.Errorf("client_id %q: version %d, variant %s, %v", frame.Params.ClientID, id.Version(), id.Variant(), err)
	}
	if n, ok := callOf(b); !ok || n != 77 {
		t.Errorf("the call in the client_id: %d, %t", n, ok)
	}
	if len(payloadText) != 64 {
		t.Errorf("the payload has %d bytes", len(payloadText))
	}
}

// TestFrames sends frames in all cuts through both framings.
func TestFrames(t *testing.T) {
	ws := []byte{0x81, 3, 'o', 'n', 'e', 0x89, 2, 'h', 'i', 0x81, 126, 0, 200}
	ws = append(append(ws, strings.Repeat("x", 200)...), 0x81, 3, 't', 'w', 'o')
	for _, c := range []struct {
		name    string
		framing framing
		stream  []byte
	}{
		{"lines", lines{}, []byte("one\n" + string(pingLine) + "}\n" + strings.Repeat("x", 200) + "\ntwo\n")},
		{"websocket", websocket{}, ws},
	} {
		t.Run(c.name, func(t *testing.T) {
			for cut := range c.stream {
				near, far := net.Pipe()
				go func() {
					defer far.Close()
					if _, err := far.Write(c.stream[:cut]); err == nil {
						_, _ = far.Write(c.stream[cut:])
					}
				}()
				// The generator's pong has to be taken by somebody.
				conn := newConn(writeNowhere{near}, c.framing)
				conn.in = make([]byte, 8)
				for _, want := range []string{"one", strings.Repeat("x", 200), "two"} {
					frame, err := conn.next()
					if err != nil || string(frame) != want {
						t.Fatalf("cut at %d: %q, %v; want %q", cut, frame, err, want)
					}
				}
				if _, err := conn.next(); err == nil {
					t.Fatalf("cut at %d: a frame after the end", cut)
				}
				near.Close()
			}
		})
	}
}

func TestWebSocketLengths(t *testing.T) {
	for size, want := range map[int]string{
		0:   "\x81\x80\x00\x00\x00\x00",
		125: "\x81\xfd\x00\x00\x00\x00",
		126: "\x81\xfe\x00\x7e\x00\x00\x00\x00",
		300: "\x81\xfe\x01\x2c\x00\x00\x00\x00",
	} {
		var f websocket
		before := []byte("before")
		payload := strings.Repeat("p", size)
		b := f.end(append(f.begin(before), payload...), len(before))
		if string(b) != "before"+want+payload {
			t.Errorf("%d bytes: %q", size, b)
		}
	}
}

type writeNowhere struct{ net.Conn }

func (writeNowhere) Write(p []byte) (int, error) { return len(p), nil }

func TestTally(t *testing.T) {
	ids := newClientID()
	event := func(seq, call int64) []byte {
		b := appendInt([]byte(`{"jsonrpc":"2.0","method":"event","params":{"seq":`), seq)
		b = append(b, `,"kind":"message","client_id":"`...)
		return append(ids.append(b, call), `"}}`...)
	}
	for _, c := range []struct {
		name   string
		events [][2]int64 // seq, call
		fails  string
	}{
		{"whole", [][2]int64{{5, 2}, {6, 3}, {7, 4}}, ""},
		{"missing", [][2]int64{{5, 2}, {7, 4}}, "events 6 to 6 are missing"},
		{"doubled", [][2]int64{{5, 2}, {6, 3}, {6, 3}}, "came again or late"},
		{"swapped", [][2]int64{{5, 2}, {6, 4}}, "call 3 belongs there"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var tally tally
			var err error
			for _, e := range c.events {
				if _, err = tally.add(event(e[0], e[1])); err != nil {
					break
				}
			}
			if c.fails == "" && (err != nil || tally.events != 3 || tally.last != 7) {
				t.Fatalf("%d events up to %d, %v", tally.events, tally.last, err)
			}
			if c.fails != "" && (err == nil || !strings.Contains(err.Error(), c.fails)) {
				t.Fatalf("error %v, want one with %q", err, c.fails)
			}
		})
	}
}
