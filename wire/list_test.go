package wire

import (
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

func TestListResultIsTheGenericOne(t *testing.T) {
	for _, r := range []ListResult{
		{},
		{Conversation: "lobby", FromSeq: 1, ToSeq: 2, HeadSeq: 9, Events: []jsontext.Value{[]byte(`{"seq":1}`), []byte(`{"seq":2,"text":"你好"}`)}},
		{Conversation: "a\"\\\n<é", FromSeq: 3, ToSeq: 2, HeadSeq: -1, Events: []jsontext.Value{}},
	} {
		want, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		got, err := AppendJSON([]byte("x"), r)
		if err != nil || string(got) != "x"+string(want) {
			t.Errorf("%s, not %s: %v", got[1:], want, err)
		}
	}
}
