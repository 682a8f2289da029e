package listen

import (
	"strings"
	"testing"
)

func TestClassify(t *testing.T) {
	for in, want := range map[string]Kind{
		"":                   Undecided,
		"\r\n \t":            Undecided,
		"i":                  Undecided,
		"iam":                Undecided,
		"ms":                 Undecided,
		"iam:":               Text,
		"msg:x":              Text,
		"im":                 Text,
		"ia\n":               Text,
		"hello":              Text,
		"张三":                 Text,
		"\xff\x00":           Text,
		"get / HTTP/1.1":     Text,
		"GET":                Undecided,
		"GET ":               HTTP,
		"GETS":               Text,
		"P":                  Undecided,
		"PRI * HTTP/2.0\r\n": HTTP,
		"POST ":              HTTP,
		"PATCH ":             HTTP,
		"OPTIONS ":           HTTP,
		"DELETE ":            HTTP,
		"\r\nGET ":           HTTP, // some clients send a line end behind a body
		"{":                  JSON,
		"[":                  JSON,
		" \r\n\t{":           JSON,
		"\x16":               TLS,
		"\x16\x03\x01":       TLS,
	} {
		if got := classify([]byte(in)); got != want {
			t.Errorf("%q: %d, want %d", in, got, want)
		}
	}
}

// What is known does not change with what follows, or it would matter how bytes are cut into reads.
func FuzzClassify(f *testing.F) {
	for _, s := range []string{"iam:a", "GET / HTTP/1.1", " {", "\x16\x03", "OPTIONSx", "mms"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		first := Undecided
		for i := range len(s) + 1 {
			kind := classify([]byte(s[:i]))
			if first == Undecided {
				first = kind
			}
			if kind != first {
				t.Fatalf("%q is %d, then %d", s[:i], first, kind)
			}
		}
		if first == Undecided && len(strings.Trim(s, " \t\r\n")) >= len("OPTIONS ") {
			t.Fatalf("%q is never known", s)
		}
	})
}
