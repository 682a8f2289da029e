package line

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestRender(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"bob", "hi", "bob: hi\n"},
		{"bob", "", "bob: \n"},
		{"张三", "吃了吗: 没有", "张三: 吃了吗: 没有\n"},
		{"bob", "a\tb", "bob: a b\n"},
		{"bob", "a\n", "bob: a\n"},
		{"bob", "a\n\nb", "bob: a\nbob: \nbob: b\n"},
		{"bob", "👩‍💻", "bob: 👩‍💻\n"},
		{"bob", "a\xffb", "bob: a�b\n"},
		{"@alice", "hi", "@alice: hi\n"},
	} {
		if got := string(Render([]byte("before "), tt.name, tt.text)); got != "before "+tt.want {
			t.Errorf("%q, %q: %q, want %q", tt.name, tt.text, got, tt.want)
		}
	}
}

// What a text or a name does to look like somebody else's line, or to take over a terminal.
func TestForgery(t *testing.T) {
	for _, tt := range []struct{ what, name, text, want string }{
		{"LF", "eve", "hi\nboss: you are fired", "eve: hi\neve: boss: you are fired\n"},
		{"CR", "eve", "hi\rboss: x", "eve: hi\neve: boss: x\n"},
		{"CRLF", "eve", "hi\r\nboss: x", "eve: hi\neve: boss: x\n"},
		{"LS", "eve", "hi\u2028boss: x", "eve: hi\neve: boss: x\n"},
		{"PS", "eve", "hi\u2029boss: x", "eve: hi\neve: boss: x\n"},
		{"VT", "eve", "hi\vboss: x", "eve: hi\neve: boss: x\n"},
		{"FF", "eve", "hi\fboss: x", "eve: hi\neve: boss: x\n"},
		{"NEL", "eve", "hi\u0085boss: x", "eve: hi\neve: boss: x\n"},
		{"joined", "eve", "hi\nboss has joined", "eve: hi\neve: boss has joined\n"},
		{"server's line", "eve", "\nerror: log in again", "eve: \neve: error: log in again\n"},
		{"ESC", "eve", "\x1b[2J\x1b[1;1Hboss: x", "eve: �[2J�[1;1Hboss: x\n"},
		{"CSI", "eve", "\u009b2Jboss: x", "eve: �2Jboss: x\n"},
		{"backspaces", "eve", "\b\b\b\b\bboss: x", "eve: �����boss: x\n"},
		{"DEL, NUL", "eve", "\x7f\x00", "eve: ��\n"},
		{"override", "eve", "\u202ederif\u202c", "eve: �derif�\n"},
		{"isolates and marks", "eve", "\u2066\u2067\u2068\u2069\u202a\u202b\u202d\u200e\u200f\u061c", "eve: ��������" + "��\n"},
		{"colon in the name", "boss: x", "ok", "boss� x: ok\n"},
		{"LF in the name", "eve\nboss", "x", "eve�boss: x\n"},
		{"LS in the name", "eve\u2028boss", "x", "eve�boss: x\n"},
		{"override in the name", "\u202esob", "x", "�sob: x\n"},
	} {
		if got := string(Render(nil, tt.name, tt.text)); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.what, got, tt.want)
		}
	}
}

func TestJoined(t *testing.T) {
	for name, want := range map[string]string{
		"bob":                "bob has joined\n",
		"张三":                 "张三 has joined\n",
		"a\nboss has joined": "a�boss has joined has joined\n",
		"boss: hi":           "boss� hi has joined\n",
	} {
		if got := string(Joined(nil, name)); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func TestError(t *testing.T) {
	if got := string(Error(nil, "no\nboss: \x1b")); got != "error: no�boss: �\n" {
		t.Errorf("got %q", got)
	}
}

func FuzzRender(f *testing.F) {
	f.Add("eve", "hi\nboss: x\r\n\u2028\u0085\x1b[2J\u202e")
	f.Add("boss: x\n", "\xff\r")
	f.Fuzz(func(t *testing.T, name, text string) {
		out := string(Render(nil, name, text))
		if !utf8.ValidString(out) || !strings.HasSuffix(out, "\n") {
			t.Fatalf("%q", out)
		}
		shown := strings.TrimSuffix(string(Joined(nil, name)), " has joined\n")
		if strings.ContainsAny(shown, ":\n") {
			t.Fatalf("name %q", shown)
		}
		for l := range strings.SplitSeq(strings.TrimSuffix(out, "\n"), "\n") {
			if !strings.HasPrefix(l, shown+": ") {
				t.Fatalf("line %q of %q", l, out)
			}
			if strings.ContainsAny(l, "\r\v\f\b\x1b\x7f\u0085\u2028\u2029\u202e\u2066") {
				t.Fatalf("line %q of %q", l, out)
			}
		}
	})
}
