package ws

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// funcs is a Handler.
type funcs struct {
	text  func(message []byte) error
	ping  func(payload []byte) error
	pong  func()
	ended func(code int, reason string) error
}

func (f *funcs) Text(m []byte) error                 { return f.text(m) }
func (f *funcs) Ping(p []byte) error                 { return f.ping(p) }
func (f *funcs) Pong()                               { f.pong() }
func (f *funcs) Ended(code int, reason string) error { return f.ended(code, reason) }

// masked makes a client's frame. first is its first byte: FIN, the reserved bits and the opcode.
func masked(first byte, payload string) string {
	b := appendFrame(nil, 0, []byte(payload))
	header := b[:len(b)-len(payload)]
	header[0] = first
	header[1] |= 0x80
	mask := [4]byte{1, 0x20, 0xff, 7}
	header = append(header[:len(header):len(header)], mask[:]...)
	for i := range len(payload) {
		header = append(header, payload[i]^mask[i&3])
	}
	return string(header)
}

const fin = 0x80

// feed gives parts to a Cutter and answers what came out of it.
func feed(c *Cutter, parts ...string) (out []string, err error) {
	h := &funcs{
		text: func(m []byte) error { out = append(out, "text "+string(m)); return nil },
		ping: func(p []byte) error { out = append(out, "ping "+string(p)); return nil },
		pong: func() { out = append(out, "pong") },
		ended: func(code int, reason string) error {
			out = append(out, fmt.Sprint("close ", code, " ", reason))
			return nil
		},
	}
	for _, p := range parts {
		if err := c.Feed([]byte(p), h); err != nil {
			return out, err
		}
	}
	return out, nil
}

// inParts cuts s into parts of size bytes.
func inParts(s string, size int) (parts []string) {
	for p := range slices.Chunk([]byte(s), size) {
		parts = append(parts, string(p))
	}
	return parts
}

func closing(code uint16, reason string) string {
	return masked(fin|opClose, string(binary.BigEndian.AppendUint16(nil, code))+reason)
}

func TestCutter(t *testing.T) {
	long := strings.Repeat("0123456789", 100)
	for _, tt := range []struct {
		name, in string
		want     []string
		code     int // of the error; 0: none
	}{
		{"text", masked(fin|opText, "吃了吗"), []string{"text 吃了吗"}, 0},
		{"empty", masked(fin|opText, ""), []string{"text "}, 0},
		{"glued", masked(fin|opText, "a") + masked(fin|opText, "b"), []string{"text a", "text b"}, 0},
		{"16 bit length", masked(fin|opText, long[:126]), []string{"text " + long[:126]}, 0},
		{"the longest", masked(fin|opText, long), []string{"text " + long}, 0},
		{"fragments", masked(opText, "a") + masked(opContinue, "b") + masked(fin|opContinue, "c"), []string{"text abc"}, 0},
		{"empty fragments", masked(opText, "") + masked(opContinue, "") + masked(fin|opContinue, ""), []string{"text "}, 0},
		{"control between fragments", masked(opText, "a") + masked(fin|opPing, "p") + masked(fin|opPong, "") + masked(fin|opContinue, "b"), []string{"ping p", "pong", "text ab"}, 0},
		{"a character across fragments", masked(opText, "\xe5\x90") + masked(fin|opContinue, "\x83"), []string{"text 吃"}, 0},
		{"longest ping", masked(fin|opPing, long[:125]), []string{"ping " + long[:125]}, 0},
		{"close", closing(1000, "bye"), []string{"close 1000 bye"}, 0},
		{"close without a code", masked(fin|opClose, ""), []string{"close 1005 "}, 0},
		{"private close code", closing(4999, ""), []string{"close 4999 "}, 0},
		{"registered close code", closing(1013, ""), []string{"close 1013 "}, 0},

		{"what was before the fault", masked(fin|opText, "a") + "\xff\xff", []string{"text a"}, CloseProtocol},
		{"not masked", string(AppendText(nil, []byte("a"))), nil, CloseProtocol},
		{"RSV1", masked(fin|0x40|opText, "a"), nil, CloseProtocol},
		{"RSV2", masked(fin|0x20|opText, "a"), nil, CloseProtocol},
		{"RSV3", masked(fin|0x10|opText, "a"), nil, CloseProtocol},
		{"opcode 3", masked(fin|3, "a"), nil, CloseProtocol},
		{"opcode 7", masked(fin|7, "a"), nil, CloseProtocol},
		{"opcode 11", masked(fin|11, "a"), nil, CloseProtocol},
		{"opcode 15", masked(fin|15, "a"), nil, CloseProtocol},
		{"binary", masked(fin|opBinary, "a"), nil, CloseData},
		{"ping of 126", masked(fin|opPing, long[:126]), nil, CloseProtocol},
		{"fragment of a ping", masked(opPing, "a"), nil, CloseProtocol},
		{"continuation of nothing", masked(fin|opContinue, "a"), nil, CloseProtocol},
		{"continuation after the end", masked(opText, "a") + masked(fin|opContinue, "b") + masked(fin|opContinue, "c"), []string{"text ab"}, CloseProtocol},
		{"message in a message", masked(opText, "a") + masked(fin|opText, "b"), nil, CloseProtocol},
		{"too long", masked(fin|opText, long+"x"), nil, CloseTooLong},
		{"too long, header only", masked(fin|opText, long+"x")[:4], nil, CloseTooLong},
		{"too long in fragments", masked(opText, long) + masked(fin|opContinue, "x"), nil, CloseTooLong},
		{"2^63 bytes", "\x81\xff\x80\x00\x00\x00\x00\x00\x00\x00", nil, CloseTooLong},
		{"too many fragments", masked(opText, "") + strings.Repeat(masked(opContinue, ""), maxFragments), nil, CloseProtocol},
		{"not UTF-8", masked(fin|opText, "a\xff"), nil, CloseUTF8},
		{"surrogate", masked(fin|opText, "\xed\xa0\x80"), nil, CloseUTF8},
		{"half a character", masked(opText, "\xe5\x90") + masked(fin|opContinue, ""), nil, CloseUTF8},
		{"125 in 16 bits", "\x81\xfe\x00\x7d", nil, CloseProtocol},
		{"65535 in 64 bits", "\x81\xff\x00\x00\x00\x00\x00\x00\xff\xff", nil, CloseProtocol},
		{"close of one byte", masked(fin|opClose, "\x03"), nil, CloseProtocol},
		{"close 999", closing(999, ""), nil, CloseProtocol},
		{"close 1004", closing(1004, ""), nil, CloseProtocol},
		{"close 1005", closing(1005, ""), nil, CloseProtocol},
		{"close 1006", closing(1006, ""), nil, CloseProtocol},
		{"close 1015", closing(1015, ""), nil, CloseProtocol},
		{"close 2999", closing(2999, ""), nil, CloseProtocol},
		{"close 5000", closing(5000, ""), nil, CloseProtocol},
		{"close reason not UTF-8", closing(1000, "\xff"), nil, CloseUTF8},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, parts := range [][]string{{tt.in}, inParts(tt.in, 1)} {
				c := &Cutter{Max: len(long)}
				got, err := feed(c, parts...)
				var refused *Error
				if errors.As(err, &refused) != (tt.code != 0) || refused != nil && refused.Code != tt.code {
					t.Errorf("in %d parts: %v, want code %d", len(parts), err, tt.code)
				}
				if !slices.Equal(got, tt.want) {
					t.Errorf("in %d parts: got %.100q, want %.100q", len(parts), got, tt.want)
				}
				if err == nil && (c.pending != nil || c.message != nil) {
					t.Errorf("keeps %d and %d bytes of nothing", cap(c.pending), cap(c.message))
				}
			}
		})
	}
}

func TestTheHandlersErrorEndsFeed(t *testing.T) {
	stop := errors.New("stop")
	calls := 0
	h := &funcs{text: func([]byte) error { calls++; return stop }}
	two := masked(fin|opText, "a") + masked(fin|opText, "b")
	if err := (&Cutter{Max: 9}).Feed([]byte(two), h); !errors.Is(err, stop) || calls != 1 {
		t.Errorf("%v after %d calls", err, calls)
	}
}

// The bytes given to Feed are the link's pooled buffer.
func TestFeedLeavesItsBytesAlone(t *testing.T) {
	in := []byte(masked(fin|opText, "abc") + masked(fin|opText, "def"))
	before := bytes.Clone(in)
	var got string
	h := &funcs{text: func(m []byte) error { got += string(m); return nil }}
	c := &Cutter{Max: 9}
	half := len(in) - 2
	if err := c.Feed(in[:half], h); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(in, before) {
		t.Error("changed")
	}
	tail := bytes.Clone(in[half:])
	clear(in)
	if err := c.Feed(tail, h); err != nil || got != "abcdef" {
		t.Errorf("got %q, %v: it kept the link's bytes", got, err)
	}
}

func TestAppendClose(t *testing.T) {
	long := AppendClose(nil, 1008, strings.Repeat("x", 122)+"吃")
	if len(long) != 2+2+122 || !utf8.Valid(long[4:]) {
		t.Errorf("%d bytes", len(long))
	}
	if got := string(AppendClose([]byte("before"), 1000, "bye")); got != "before\x88\x05\x03\xe8bye" {
		t.Errorf("got %q", got)
	}
}

func FuzzCutter(f *testing.F) {
	for _, s := range []string{
		masked(opText, "\xe5\x90") + masked(fin|opPing, "p") + masked(fin|opContinue, "\x83") + closing(1000, "bye"),
		masked(fin|opText, strings.Repeat("a", 300)), "\x81\xff\x80\x00\x00\x00\x00\x00\x00\x00",
	} {
		f.Add([]byte(s), 1)
		f.Add([]byte(s), 7)
	}
	f.Fuzz(func(t *testing.T, data []byte, size int) {
		const most = 500
		size = max(1, size%64)
		whole, wholeErr := feed(&Cutter{Max: most}, string(data))
		c := &Cutter{Max: most}
		cut, cutErr := feed(c, inParts(string(data), size)...)
		if !slices.Equal(whole, cut) || fmt.Sprint(wholeErr) != fmt.Sprint(cutErr) {
			t.Fatalf("whole: %q, %v\nin parts: %q, %v", whole, wholeErr, cut, cutErr)
		}
		if len(c.pending) > most+14+size || len(c.message) > most {
			t.Fatalf("keeps %d and %d bytes", len(c.pending), len(c.message))
		}
		for _, s := range cut {
			if !utf8.ValidString(strings.TrimPrefix(s, "text ")) && strings.HasPrefix(s, "text ") || len(s) > most+5 {
				t.Fatalf("gave %q", s)
			}
		}
	})
}

// A peer that sends one byte a packet must not make us copy the frame for each.
func BenchmarkByteByByte(b *testing.B) {
	frame := []byte(masked(fin|opText, strings.Repeat("a", 64<<10)))
	h := &funcs{text: func([]byte) error { return nil }}
	b.SetBytes(int64(len(frame)))
	c := &Cutter{Max: 64 << 10}
	began := time.Now()
	for b.Loop() {
		for i := range frame {
			if err := c.Feed(frame[i:i+1], h); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(time.Since(began).Nanoseconds())/float64(b.N*len(frame)), "ns/byte")
}
