package transcript

import "testing"

func TestMatch(t *testing.T) {
	for _, c := range []struct{ want, got, differs string }{
		{`{"a":1,"b":"x"}`, `{"b":"x","a":1}`, ""},
		{`{"a":1}`, `{"a":1,"b":2}`, ".b is not expected: 2"},
		{`{"a":1,"b":2}`, `{"a":1}`, `.b is missing in {"a":1}`},
		{`{"a":"*"}`, `{"a":{"b":[1]}}`, ""},
		{`["$x","$x"]`, `["p","p"]`, ""},
		{`["$x","$x"]`, `["p","q"]`, `[1] is "q", not "p"`},
		{`[1]`, `[1,2]`, " is [1,2], not [1]"},
		{`"1"`, `1`, ` is 1, not "1"`},
	} {
		want, err := decode([]byte(c.want))
		if err != nil {
			t.Fatal(err)
		}
		got, err := decode([]byte(c.got))
		if err != nil {
			t.Fatal(err)
		}
		if d := make(Names).Match(want, got); d != c.differs {
			t.Errorf("%s against %s: %q, want %q", c.want, c.got, d, c.differs)
		}
	}
}

func TestUpdateKeepsPlaceholders(t *testing.T) {
	want, _ := decode([]byte(`{"result":{"id":"$id","n":1}}`))
	got, _ := decode([]byte(`{"result":{"id":"g_1","n":2,"time":"2026-11-25T00:00:00.000Z","again":"g_1"}}`))
	names := make(Names)
	names["$id"] = "g_1"
	const updated = `{"result":{"id":"$id","n":2,"time":"*","again":"$id"}}`
	if s := encode(names.Update(want, got)); s != updated {
		t.Errorf("updated to %s, want %s", s, updated)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, text := range []string{
		"", "links: lines", "alice> {}", "links: pigeon\nalice> {}", "links: lines\nnonsense\nalice> {}",
		"links: lines\npeer bob: pigeon\nalice> {}", "links: lines\npause soon\nalice> {}",
	} {
		if _, err := Parse(text); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}
