package line

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func iam(s string) Frame { return Frame{Verb: Iam, Text: s} }
func msg(s string) Frame { return Frame{Verb: Msg, Text: s} }
func bad(s string) Frame { return Frame{Verb: Bad, Err: s} }

// In the reads of a case these stand for what is not bytes.
const (
	quiet = "<quiet>"
	end   = "<end>"
)

func run(d *Decoder, reads []string) []Frame {
	var frames []Frame
	for _, r := range reads {
		switch r {
		case quiet:
			frames = append(frames, d.Quiet()...)
		case end:
			frames = append(frames, d.End()...)
		default:
			frames = append(frames, d.Feed([]byte(r))...)
		}
	}
	return frames
}

func TestDecoder(t *testing.T) {
	full := strings.Repeat("x", MaxFrame-len(msgPrefix))
	for _, tt := range []struct {
		name    string
		reads   []string
		want    []Frame
		pending bool
		cutRune bool
	}{
		{"LF", []string{"iam:bob\nmsg:hi\n"}, []Frame{iam("bob"), msg("hi")}, false, false},
		{"CRLF", []string{"iam:bob\r\nmsg:hi\r\n"}, []Frame{iam("bob"), msg("hi")}, false, false},
		{"no newline, waiting", []string{"iam:zhangsan"}, nil, true, false},
		{"no newline, silence", []string{"iam:zhangsan", quiet, "msg:did you have dinner", quiet}, []Frame{iam("zhangsan"), msg("did you have dinner")}, false, false},
		{"no newline, end", []string{"iam:zhangsan", end}, []Frame{iam("zhangsan")}, false, false},
		{"both in one read", []string{"iam:zhangsanmsg:hi", quiet}, []Frame{iam("zhangsan"), msg("hi")}, false, false},
		{"three names in one read", []string{"iam:aiam:biam:c", end}, []Frame{iam("a"), iam("b"), iam("c")}, false, false},
		{"the first verb ends a name", []string{"iam:amsg:biam:c\n"}, []Frame{iam("a"), msg("biam:c")}, false, false},
		{"the other way round", []string{"iam:aiam:bmsg:c\n"}, []Frame{iam("a"), iam("b"), msg("c")}, false, false},
		{"a text may hold verbs", []string{"msg:amsg:biam:c\n"}, []Frame{msg("amsg:biam:c")}, false, false},
		{"a text keeps its colons and blanks", []string{"msg: a: b:c \n"}, []Frame{msg(" a: b:c ")}, false, false},
		{"silence between two texts", []string{"msg:a", quiet, "msg:b", quiet}, []Frame{msg("a"), msg("b")}, false, false},
		{"LF after silence", []string{"msg:a", quiet, "\r", quiet, "\nmsg:b\n"}, []Frame{msg("a"), msg("b")}, false, false},
		{"CR before silence", []string{"iam:a\r", quiet, "\nmsg:b\r", end}, []Frame{iam("a"), msg("b")}, false, false},
		{"CR inside", []string{"msg:a\rb\n"}, []Frame{msg("a\rb")}, false, false},
		{"empty lines", []string{"\n\r\n\n", quiet, "iam:a\n\n\nmsg:b\n"}, []Frame{iam("a"), msg("b")}, false, false},
		{"empty text", []string{"msg:\niam:\n"}, []Frame{msg(""), iam("")}, false, false},
		{"Chinese", []string{"iam:张三msg:吃了吗\n"}, []Frame{iam("张三"), msg("吃了吗")}, false, false},
		{"a character cut", []string{"msg:吃\xe4\xba"}, nil, true, true},
		{"a character cut and whole", []string{"msg:吃\xe4\xba", "\x86", quiet}, []Frame{msg("吃了")}, false, false},
		{"a character cut for good", []string{"msg:吃\xe4\xba", quiet, "msg:b\n"}, []Frame{bad(errUTF8), msg("b")}, false, false},
		{"a character cut by the end", []string{"msg:\xf0\x9f\x98", end}, []Frame{bad(errUTF8)}, false, false},
		{"not a cut character", []string{"msg:\xe4\xba\xba\xba"}, nil, true, false},
		{"bad UTF-8", []string{"iam:\xff\nmsg:ok\n"}, []Frame{bad(errUTF8), msg("ok")}, false, false},
		{"unknown verb", []string{"hello\nmsg:ok\n"}, []Frame{bad(errVerb), msg("ok")}, false, false},
		{"verbs have case", []string{"IAM:bob\n"}, []Frame{bad(errVerb)}, false, false},
		{"a blank before a verb", []string{" iam:bob\n"}, []Frame{bad(errVerb)}, false, false},
		{"typed slowly", []string{"i", quiet, "a", quiet, "m", quiet, ":", "b", quiet}, []Frame{iam("b")}, false, false},
		{"typed slowly and corrected", []string{"ms", quiet, "x", quiet, "\nmsg:a\n"}, []Frame{bad(errVerb), msg("a")}, false, false},
		{"a beginning at silence", []string{"ms", quiet}, nil, false, false},
		{"a beginning at the end", []string{"ms", end}, []Frame{bad(errVerb)}, false, false},
		{"nothing at the end", []string{"\r\n", end}, nil, false, false},
		{"longest", []string{"msg:" + full + "\n"}, []Frame{msg(full)}, false, false},
		{"longest without newline", []string{"msg:" + full, quiet}, []Frame{msg(full)}, false, false},
		{"too long", []string{"msg:" + full + "x\nmsg:ok\n"}, []Frame{bad(errTooLong), msg("ok")}, false, false},
		{"too long, told at once", []string{"msg:" + full + "x"}, []Frame{bad(errTooLong)}, true, false},
		{"too long, in parts", []string{"msg:" + full, "xyz", full, "\nmsg:ok\n"}, []Frame{bad(errTooLong), msg("ok")}, false, false},
		{"too long, then silence", []string{"msg:" + full + "x", quiet, "msg:ok", quiet}, []Frame{bad(errTooLong), msg("ok")}, false, false},
		{"too long, unknown, then silence", []string{full + "abcde", quiet, "msg:no", quiet, "\nmsg:ok\n"}, []Frame{bad(errTooLong), msg("ok")}, false, false},
		{"too long, then the end", []string{"msg:" + full + "x", end, "msg:ok\n"}, []Frame{bad(errTooLong), msg("ok")}, false, false},
		{"too long a name", []string{"iam:" + full + "xmsg:no\nmsg:ok\n"}, []Frame{bad(errTooLong), msg("ok")}, false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var d Decoder
			if diff := cmp.Diff(tt.want, run(&d, tt.reads)); diff != "" {
				t.Errorf("frames (-want +got):\n%s", diff)
			}
			if d.Pending() != tt.pending {
				t.Errorf("pending: %v", d.Pending())
			}
			if d.CutRune() != tt.cutRune {
				t.Errorf("cut rune: %v", d.CutRune())
			}
		})
	}
}

func TestDecoderDoesNotKeepTheRead(t *testing.T) {
	var d Decoder
	p := []byte("msg:ab")
	d.Feed(p)
	clear(p)
	if got := d.Quiet(); len(got) != 1 || got[0] != msg("ab") {
		t.Errorf("got %v", got)
	}
}

func TestDecoderMemory(t *testing.T) {
	var d Decoder
	for range 4 * MaxFrame {
		d.Feed([]byte("x"))
	}
	d.Feed(make([]byte, 1<<20))
	if d.pending != nil {
		t.Errorf("holds %d bytes of what it skips", cap(d.pending))
	}
	d.Feed([]byte("\nmsg:a\n"))
	if d.pending != nil {
		t.Error("idle, but holds a buffer")
	}
}

func TestDatagram(t *testing.T) {
	for in, want := range map[string]Frame{
		"iam:bob":                          iam("bob"),
		"iam:bob\r\n":                      iam("bob"),
		"msg:a\nb\n":                       msg("a\nb"),
		"msg:iam:b":                        msg("iam:b"),
		"iam:amsg:b":                       iam("amsg:b"), // one datagram, one frame; Name refuses it
		"":                                 bad(errVerb),
		"ia":                               bad(errVerb),
		"msg:\xe4\xba":                     bad(errUTF8),
		"msg:" + strings.Repeat("x", 4092): msg(strings.Repeat("x", 4092)),
		"msg:" + strings.Repeat("x", 4093): bad(errTooLong),
	} {
		if got := Datagram([]byte(in)); got != want {
			t.Errorf("%.20q: %+v, want %+v", in, got, want)
		}
	}
}

func FuzzLineDecoder(f *testing.F) {
	for _, s := range []string{
		"iam:zhangsanmsg:did you have dinner", "iam:a\r\nmsg:b\r\n\n\rhello\nms", "iam:iam:msg:msg:iam:\n",
		"msg:吃了吗\xe4\nmsg:\xe4\xba", "iam:" + strings.Repeat("n", MaxFrame-3) + "msg:x\ny", strings.Repeat("msg:", MaxFrame/4) + "\nmsg:a",
	} {
		f.Add([]byte(s), uint64(0x9e3779b97f4a7c15))
		f.Add([]byte(s), uint64(0))
	}
	f.Fuzz(func(t *testing.T, data []byte, seed uint64) {
		var once, split Decoder
		want := append(once.Feed(data), once.End()...)
		var got []Frame
		for rest := data; len(rest) > 0; {
			n := 1
			if seed != 0 { // seed 0: byte by byte
				seed = seed*6364136223846793005 + 1442695040888963407
				n += int(seed >> 60)
				if seed>>59&1 == 0 {
					n += int(seed>>32) & 0xfff
				}
			}
			n = min(n, len(rest))
			got = append(got, split.Feed(rest[:n])...)
			rest = rest[n:]
			if len(split.pending) > MaxFrame || cap(split.pending) > 4*MaxFrame {
				t.Fatalf("holds %d of %d bytes", len(split.pending), cap(split.pending))
			}
		}
		got = append(got, split.End()...)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("another split, other frames (-one read +many):\n%s", diff)
		}
		for _, fr := range append(got, Datagram(data)) {
			if !utf8.ValidString(fr.Text) || len(fr.Text) > MaxFrame || (fr.Verb == Bad) != (fr.Err != "") {
				t.Fatalf("frame %+v", fr)
			}
		}
	})
}

// Silences change where frames end, but must neither panic nor keep a link waiting.
func FuzzLineDecoderQuiet(f *testing.F) {
	f.Add([]byte("iam:a|msg:b|c\n|ms|g:d|"))
	f.Add([]byte("msg:" + strings.Repeat("x", MaxFrame) + "|msg:y|"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var d Decoder
		for _, read := range strings.Split(string(data), "|") {
			d.Feed([]byte(read))
			d.Quiet()
			if d.Pending() {
				t.Fatalf("pending after a silence: %q", d.pending)
			}
		}
	})
}
