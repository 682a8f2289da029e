package line

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestName(t *testing.T) {
	for in, want := range map[string]string{
		"zhangsan":              "zhangsan",
		"  ZhangSan\t":          "ZhangSan",
		"张三":                    "张三",
		"Li Lei":                "Li Lei",
		"Li\u00a0Lei":           "Li Lei",
		"ｂｏｂ":                   "bob",
		"e\u0301ve":             "éve",
		"o'neill-2_x.y":         "o'neill-2_x.y",
		"🙂":                     "🙂",
		"errors":                "errors",
		strings.Repeat("张", 32): strings.Repeat("张", 32),
		"a has joined":          "a has joined", // its lines still say "a has joined: …"
	} {
		if got, err := Name(in); err != nil || got != want {
			t.Errorf("%q: %q, %v; want %q", in, got, err, want)
		}
	}
	for in, part := range map[string]string{
		"":                        "at least one",
		" \r ":                    "at least one",
		strings.Repeat("张", 33):   "at most 32",
		"ﷺﷺ":                      "at most 32", // 36 characters in NFKC
		strings.Repeat("x", 9999): "at most 32",
		"boss: x":                 "':'",
		"boss：x":                  "':'", // full width
		"boss﹕x":                  "':'", // small
		"@alice":                  "'@'",
		"＠alice":                  "'@'",
		"a@b":                     "'@'",
		"a\nb":                    "control",
		"a\rb":                    "control",
		"a\tb":                    "control",
		"a\x00b":                  "control",
		"a\x1b[1mb":               "control",
		"a\x7fb":                  "control",
		"a\u0085b":                "control",
		"a\u2028b":                "control",
		"a\u2029b":                "control",
		"\u202eson":               "control",
		"a\u2066b":                "control",
		"a\u200eb":                "control",
		"a\u200bb":                "control",
		"a\u200db":                "control",
		"a\ufeffb":                "control",
		"a\u00adb":                "control",
		"a\ufe0fb":                "control",
		"a\u034fb":                "control",
		"a\u3164b":                "control",
		"a\u2800b":                "control",
		"a\ue000b":                "control",
		"a\U000e0041b":            "control",
		"\u0301":                  "that shows",
		"\xff":                    "UTF-8",
		"Error":                   "taken",
		"ｅｒｒｏｒ":                   "taken",
	} {
		if got, err := Name(in); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%.40q: %q, %v; want … %s", in, got, err, part)
		}
	}
}

func FuzzName(f *testing.F) {
	for _, s := range []string{"ZhangSan", "张三", "ﷺ", "a\u0345", "K", "İ", "a\u0301\u0323"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		name, err := Name(s)
		if err != nil {
			return
		}
		if again, err := Name(name); err != nil || again != name {
			t.Fatalf("%q is %q, and that is %q, %v", s, name, again, err)
		}
		if !utf8.ValidString(name) || strings.ContainsAny(name, ":@\n\r") {
			t.Fatalf("%q is %q", s, name)
		}
		if got := string(Joined(nil, name)); got != name+" has joined\n" {
			t.Fatalf("%q is shown as %q", name, got)
		}
	})
}
