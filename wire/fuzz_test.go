package wire

import (
	"bytes"
	"testing"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

func FuzzParseRequest(f *testing.F) {
	for _, s := range []string{sendFrame, deep(31), `[]`, `{"id":"\u0041","method":"m","params":[]}`, `{"id":1,"id":2}`, "{\"method\":\"\xff\"}"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		before := bytes.Clone(frame)
		r, e := ParseRequest(frame)
		if !bytes.Equal(before, frame) {
			t.Fatal("the frame was written to")
		}
		if r.ID != nil && !validID(r.ID) {
			t.Fatalf("id %s", r.ID)
		}
		if e != nil {
			if r.Method != "" || r.Params != nil {
				t.Fatalf("refused, but answered %+v", r)
			}
			checkAnswerable(t, r.ID, e)
			return
		}
		if r.Method == "" || (r.Params != nil && (r.Params.Kind() != '{' || !r.Params.IsValid())) {
			t.Fatalf("took %s for %+v", frame, r)
		}
		// What was taken says the same when it is written anew.
		again, err := json.Marshal(map[string]any{"method": r.Method})
		if err != nil {
			t.Fatal(err)
		}
		again = again[:len(again)-1]
		if r.ID != nil {
			again = append(append(again, `,"id":`...), r.ID...)
		}
		if r.Params != nil {
			again = append(append(again, `,"params":`...), r.Params...)
		}
		r2, e := ParseRequest(append(again, '}'))
		if e != nil || r2.Method != r.Method || !bytes.Equal(r2.ID, r.ID) || !bytes.Equal(r2.Params, r.Params) {
			t.Fatalf("%+v written anew is %+v, %v", r, r2, e)
		}
	})
}

func FuzzDecodeParams(f *testing.F) {
	for _, s := range []string{
		``, `{}`, `null`, `{"to":{"user":"b"},"client_id":"c","content":{"type":"text"},"read":true}`,
		`{"to":{"users":1}}`, `{"read":"\ud83d\ude00"}`, `{"content":[[[[1e9]]]]}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, params []byte) {
		var p SendParams
		if e := DecodeParams(params, &p); e != nil {
			checkAnswerable(t, nil, e)
			return
		}
		if !utf8.ValidString(p.To.User) || (p.Content != nil && !p.Content.IsValid()) {
			t.Fatalf("took %s for %+v", params, p)
		}
	})
}

func FuzzParseAnswer(f *testing.F) {
	for _, s := range []string{
		`{"id":1,"result":{}}`, `{"method":"event","params":{"seq":1}}`,
		`{"id":null,"error":{"code":-32700,"message":"m","data":{"code":"busy","outcome":"retry","retry_after_ms":5,"first":{"seq":1}}}}`,
		`{"id":1,"error":{"data":{"retry_after_ms":-9223372036854775808}}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		a, err := ParseAnswer(frame)
		if err != nil {
			return
		}
		kinds := 0
		for _, is := range []bool{a.Result != nil, a.Err != nil, a.Method != ""} {
			if is {
				kinds++
			}
		}
		if kinds != 1 {
			t.Fatalf("%s is %+v", frame, a)
		}
		if a.Err != nil {
			if a.Err.RetryAfter < 0 {
				t.Fatalf("wait %v", a.Err.RetryAfter)
			}
			checkAnswerable(t, a.ID, a.Err)
		}
	})
}

// checkAnswerable says that an error can be told on one line, and on HTTP.
func checkAnswerable(t *testing.T, id jsontext.Value, e *Error) {
	t.Helper()
	frame := AppendError(nil, id, e)
	if bytes.ContainsAny(frame, "\n") && id == nil || !jsontext.Value(frame).IsValid() {
		t.Fatalf("error %+v makes the frame %q", e, frame)
	}
	a, err := ParseAnswer(frame)
	if err != nil || a.Err == nil || a.Err.Code != e.Code {
		t.Fatalf("frame %s is read as %+v, %v", frame, a, err)
	}
	if _, body := Problem(e); !jsontext.Value(body).IsValid() {
		t.Fatalf("error %+v makes the problem %q", e, body)
	}
}
