package api_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/linnet-im/linnet/internal/api"
	"github.com/linnet-im/linnet/wire"
)

// Every type of content: one that has all its fields, and what is refused of it. Mutants: a
// type decoded without RejectUnknownMembers; link that takes any scheme; mentions counted in
// bytes; a forward whose items are not checked; depth that does not grow.
func TestContentTypes(t *testing.T) {
	w := lobbyWorld(t)
	alice := w.caller("alice")
	nested := func(depth int) string {
		c := `{"type":"text","text":"in it"}`
		for range depth {
			c = `{"type":"forward","text":"f","title":"t","items":[{"from":"bob","name":"Bob","time":"2026-11-23T08:00:00.000Z","content":` + c + `}]}`
		}
		return c
	}
	mention := func(one string) string {
		return `{"type":"text","text":"a👋b","mentions":[` + one + `]}`
	}
	many := strings.Repeat(`{"user":"bob"},`, 51)
	for n, tt := range []struct {
		content string
		param   string // "" for what is taken
	}{
		{`{"type":"markdown","text":"**hi**","mentions":[{"user":"bob","from":0,"length":2}]}`, ""},
		{`{"type":"markdown","text":""}`, "content.text"},
		{`{"type":"image","text":"","url":"https://e.x/c.jpg","width":100,"height":100,"size":5000,"thumb":"http://e.x/t.jpg","custom":{}}`, ""},
		{`{"type":"image","text":"","url":"javascript:alert(1)"}`, "content.url"},
		{`{"type":"image","text":"","url":"https:///c.jpg"}`, "content.url"},
		{`{"type":"image","text":"","url":"https://me:pw@e.x/c.jpg"}`, "content.url"},
		{`{"type":"image","text":"","url":"https://e.x/a b"}`, "content.url"},
		{`{"type":"image","text":"","url":"https://e.x/` + strings.Repeat("a", 2048) + `"}`, "content.url"},
		{`{"type":"image","text":"","url":"https://e.x/c","thumb":"file:///etc/passwd"}`, "content.thumb"},
		{`{"type":"image","text":"","url":"https://e.x/c","width":-1}`, "content.width"},
		{`{"type":"image","text":"","url":"https://e.x/c","height":100001}`, "content.height"},
		{`{"type":"image","text":"","url":"https://e.x/c","size":1.5}`, "content.size"},
		{`{"type":"image","text":"","url":"https://e.x/c","size":9007199254740992}`, "content.size"},
		{`{"type":"image","text":"","url":"https://e.x/c","duration_ms":1}`, "content.duration_ms"},
		{`{"type":"voice","text":"","url":"https://e.x/v","duration_ms":1500,"size":1,"waveform":[0,50,100]}`, ""},
		{`{"type":"voice","text":"","url":"https://e.x/v","duration_ms":86400001}`, "content.duration_ms"},
		{`{"type":"voice","text":"","url":"https://e.x/v","duration_ms":1,"waveform":[101]}`, "content.waveform"},
		{`{"type":"voice","text":"","url":"https://e.x/v","waveform":[` + strings.Repeat("1,", 200) + `1]}`, "content.waveform"},
		{`{"type":"video","text":"","url":"https://e.x/v","duration_ms":1,"width":1,"height":1,"size":1,"thumb":"https://e.x/t"}`, ""},
		{`{"type":"video","text":"","thumb":"https://e.x/t"}`, "content.url"},
		{`{"type":"file","text":"","url":"https://e.x/f","name":"合同 v2.pdf","size":1,"mime":"application/pdf"}`, ""},
		{`{"type":"file","text":"","url":"https://e.x/f"}`, "content.name"},
		{`{"type":"file","text":"","url":"https://e.x/f","name":"../a"}`, "content.name"},
		{`{"type":"file","text":"","url":"https://e.x/f","name":"a\u202egpj.exe"}`, "content.name"},
		{`{"type":"file","text":"","url":"https://e.x/f","name":"a","mime":"pdf"}`, "content.mime"},
		{`{"type":"location","text":"here","lat":31.2,"lng":121.5,"title":"t","address":"a"}`, ""},
		{`{"type":"location","text":"here","lat":0,"lng":0}`, ""},
		{`{"type":"location","text":"here","lng":0}`, "content.lat"},
		{`{"type":"location","text":"here","lat":90.1,"lng":0}`, "content.lat"},
		{`{"type":"location","text":"here","lat":0,"lng":-181}`, "content.lng"},
		{`{"type":"location","text":"here","lat":0,"lng":0,"title":"a\nb"}`, "content.title"},
		{`{"type":"card","text":"bob","user":"bob"}`, ""},
		{`{"type":"card","text":"bob","user":"a b"}`, "content.user"},
		{`{"type":"card","text":"bob"}`, "content.user"},
		{nested(1), ""},
		{nested(2), ""},
		{nested(3), "content.items.0.content.items.0.content.type"},
		{`{"type":"forward","text":"f","items":[]}`, "content.items"},
		{`{"type":"forward","text":"f","items":[{"from":"a b","time":"2026-11-23T08:00:00Z","content":{"type":"text","text":"a"}}]}`, "content.items.0.from"},
		{`{"type":"forward","text":"f","items":[{"from":"a","time":"noon","content":{"type":"text","text":"a"}}]}`, "content.items.0.time"},
		{`{"type":"forward","text":"f","items":[{"from":"a","time":"2026-11-23T08:00:00Z","content":{"type":"text"}}]}`, "content.items.0.content.text"},
		{`{"type":"forward","text":"f","items":[{"from":"a","time":"2026-11-23T08:00:00Z","content":{"type":"image","text":"","url":"x:y"}}]}`, "content.items.0.content.url"},
		{mention(`{"user":"bob","from":1,"length":2}`), ""}, // two UTF-16 units
		{mention(`{"user":"bob","from":1,"length":3}`), ""},
		{mention(`{"user":"bob","from":1,"length":4}`), "content.mentions.0"},
		{mention(`{"user":"bob","from":9223372036854775807,"length":1}`), "content.mentions.0"},
		{mention(`{"user":"bob","from":-1}`), "content.mentions.0"},
		{mention(`{"user":"bob","all":true}`), "content.mentions.0"},
		{mention(`{}`), "content.mentions.0"},
		{mention(`{"user":"a b"}`), "content.mentions.0.user"},
		{mention(strings.TrimSuffix(many, ",")), "content.mentions"},
		{`{"type":"image","text":"","url":"https://e.x/c","mentions":[{"user":"bob"}]}`, "content.mentions"},
	} {
		t.Run(fmt.Sprintf("%.80s", tt.content), func(t *testing.T) {
			_, err := w.call(alice, "messages.send", fmt.Sprintf(
				`{"to":{"conversation":"lobby"},"client_id":"00000000-0000-7000-8000-%012x","content":%s}`, n, tt.content))
			switch {
			case tt.param == "" && err != nil:
				t.Errorf("refused: %v", err)
			case tt.param != "" && (err == nil || err.Code != wire.CodeParam || err.Param != tt.param):
				t.Errorf("got %+v, want a fault of %q", err, tt.param)
			}
		})
	}
}

// A forward may be longer than a text, and not endless.
func TestContentSizes(t *testing.T) {
	w := lobbyWorld(t)
	alice := w.caller("alice")
	one := `{"from":"bob","time":"2026-11-23T08:00:00.000Z","content":{"type":"text","text":"` + strings.Repeat("a", 900) + `"}}`
	for n, tt := range []struct {
		items int
		code  wire.Code
	}{{40, ""}, {60, wire.CodeTooLarge}, {101, wire.CodeParam}} {
		c := `{"type":"forward","text":"f","items":[` + strings.TrimSuffix(strings.Repeat(one+",", tt.items), ",") + `]}`
		_, err := w.call(alice, "messages.send", fmt.Sprintf(
			`{"to":{"conversation":"lobby"},"client_id":"00000000-0000-7000-8000-%012x","content":%s}`, n, c))
		got := wire.Code("")
		if err != nil {
			got = err.Code
		}
		if got != tt.code {
			t.Errorf("%d items: got %v", tt.items, err)
		}
	}
}

// Whatever a peer sends as content is refused with a field's name, or taken as JSON that is
// not longer and is taken again, the same.
func FuzzContent(f *testing.F) {
	for _, seed := range []string{
		`{"type":"text","text":"a","mentions":[{"user":"bob","from":0,"length":1},{"all":true}]}`,
		`{"type":"file","text":"","url":"https://e.x/f","name":"a","mime":"a/b"}`,
		`{"type":"location","text":"","lat":1e300,"lng":-0}`,
		`{"type":"forward","text":"","items":[{"from":"a","time":"2026-11-23T08:00:00Z","content":{"type":"card","text":"","user":"b"}}]}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		got, err := api.CheckContent([]byte(raw))
		if err != nil {
			if e := api.Error(err); e.Code != wire.CodeTooLarge && (e.Code != wire.CodeParam || !strings.HasPrefix(e.Param, "content")) {
				t.Fatalf("%s: %+v", raw, e)
			}
			return
		}
		again, err := api.CheckContent(got)
		if err != nil || string(again) != string(got) || len(got) > len(raw) {
			t.Fatalf("%s: %s, then %s, %v", raw, got, again, err)
		}
	})
}
