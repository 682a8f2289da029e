package wire

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
)

const sendFrame = `{"jsonrpc":"2.0","id":2,"method":"messages.send","params":{"to":{"user":"bob"},` +
	`"client_id":"0193c0de-0000-7000-8000-000000000001",` +
	`"content":{"type":"text","text":"did you have dinner? there is rice left, and some soup from noon"}}}`

// deep is a request of n+2 levels, and with more brackets than levels.
func deep(n int) string { return `{"method":"m","id":7,"params":` + deepParams(n) + `}` }

func deepParams(n int) string {
	return `{"a":` + strings.Repeat("[", n) + strings.Repeat("]", n) + `,"b":[[]]}`
}

func TestParseRequest(t *testing.T) {
	long := strings.Repeat("x", maxIDBytes)
	for _, tt := range []struct {
		name, frame string
		want        Request
		code        Code
		message     string // part of it
	}{
		{"whole", `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":1}}`, Request{ID: jsontext.Value(`1`), Method: "ping", Params: jsontext.Value(`{"a":1}`)}, "", ""},
		{"blanks", " \r\n{ \"id\" : \"a\" , \"method\" : \"ping\" }\n", Request{ID: jsontext.Value(`"a"`), Method: "ping"}, "", ""},
		{"no id, no jsonrpc", `{"method":"ping"}`, Request{Method: "ping"}, "", ""},
		{"id after params", `{"method":"ping","params":{},"id":-3}`, Request{ID: jsontext.Value(`-3`), Method: "ping", Params: jsontext.Value(`{}`)}, "", ""},
		{"escaped names", `{"\u0069d":1,"m\u0065thod":"p\u0069ng"}`, Request{ID: jsontext.Value(`1`), Method: "ping"}, "", ""},
		{"longest id", `{"method":"ping","id":"` + long + `"}`, Request{ID: jsontext.Value(`"` + long + `"`), Method: "ping"}, "", ""},
		{"escaped id", `{"method":"ping","id":"` + strings.Repeat(`\u0041`, 64) + `"}`, Request{ID: jsontext.Value(`"` + strings.Repeat(`\u0041`, 64) + `"`), Method: "ping"}, "", ""},
		{"greatest id", `{"method":"ping","id":9007199254740991}`, Request{ID: jsontext.Value(`9007199254740991`), Method: "ping"}, "", ""},
		{"brackets in text", `{"method":"m","params":{"a":"` + strings.Repeat(`[\"{`, 40) + `"}}`, Request{Method: "m", Params: jsontext.Value(`{"a":"` + strings.Repeat(`[\"{`, 40) + `"}`)}, "", ""},
		{"deepest", deep(30), Request{ID: jsontext.Value(`7`), Method: "m", Params: jsontext.Value(deepParams(30))}, "", ""},

		{"too deep", deep(31), Request{}, CodeParse, "32 levels"},
		{"batch", ` [{"method":"ping"}]`, Request{}, CodeBatch, "batches"},
		{"broken batch", `[`, Request{}, CodeBatch, "batches"},
		{"empty", ``, Request{}, CodeParse, "not JSON"},
		{"not JSON", `hello`, Request{}, CodeParse, "not JSON"},
		{"cut", `{"id":1,"method":"pi`, Request{ID: jsontext.Value(`1`)}, CodeParse, "not JSON"},
		{"trailing", `{"id":1,"method":"ping"} {"id":2}`, Request{ID: jsontext.Value(`1`)}, CodeParse, "not JSON"},
		{"duplicate", `{"id":1,"method":"a","method":"b"}`, Request{ID: jsontext.Value(`1`)}, CodeParse, `"method" stands twice`},
		{"duplicate in params", `{"id":1,"method":"a","params":{"x":{"y":1,"y":2}}}`, Request{ID: jsontext.Value(`1`)}, CodeParse, `"y" stands twice`},
		{"duplicate escaped", `{"method":"a","params":{"x":1,"\u0078":2}}`, Request{}, CodeParse, `"x" stands twice`},
		{"two ids", `{"id":1,"method":"a","id":2}`, Request{}, CodeParse, `"id" stands twice`},
		{"bad UTF-8", "{\"id\":1,\"method\":\"a\",\"params\":{\"x\":\"\xff\"}}", Request{ID: jsontext.Value(`1`)}, CodeParse, "UTF-8"},
		{"lone surrogate", `{"method":"a","params":{"x":"\ud800"}}`, Request{}, CodeParse, "not JSON"},
		{"NUL", "{\"method\":\"a\x00\"}", Request{}, CodeParse, "not JSON"},
		{"text", `"ping"`, Request{}, CodeInvalid, "object"},
		{"null", `null`, Request{}, CodeInvalid, "object"},
		{"no method", `{"id":1}`, Request{ID: jsontext.Value(`1`)}, CodeInvalid, "needs a method"},
		{"method empty", `{"id":1,"method":""}`, Request{ID: jsontext.Value(`1`)}, CodeInvalid, "method must"},
		{"method number", `{"method":5,"id":1}`, Request{ID: jsontext.Value(`1`)}, CodeInvalid, "method must"},
		{"method null", `{"method":null,"id":1}`, Request{ID: jsontext.Value(`1`)}, CodeInvalid, "method must"},
		{"other version", `{"jsonrpc":"1.0","method":"ping","id":1}`, Request{ID: jsontext.Value(`1`)}, CodeInvalid, "jsonrpc"},
		{"version number", `{"jsonrpc":2.0,"method":"ping","id":1}`, Request{ID: jsontext.Value(`1`)}, CodeInvalid, "jsonrpc"},
		{"id null", `{"id":null,"method":"ping"}`, Request{}, CodeInvalid, "id must"},
		{"id fraction", `{"id":1.5,"method":"ping"}`, Request{}, CodeInvalid, "id must"},
		{"id exponent", `{"id":1e3,"method":"ping"}`, Request{}, CodeInvalid, "id must"},
		{"id 2^53", `{"id":9007199254740992,"method":"ping"}`, Request{}, CodeInvalid, "id must"},
		{"id -2^53", `{"id":-9007199254740992,"method":"ping"}`, Request{}, CodeInvalid, "id must"},
		{"id long", `{"id":"` + long + `x","method":"ping"}`, Request{}, CodeInvalid, "id must"},
		{"id object", `{"id":{},"method":"ping"}`, Request{}, CodeInvalid, "id must"},
		{"unknown member", `{"extra":1,"method":"ping","id":"q"}`, Request{ID: jsontext.Value(`"q"`)}, CodeInvalid, `"extra"`},
		{"names have case", `{"ID":1,"method":"ping"}`, Request{}, CodeInvalid, `"ID"`},
		{"positional", `{"id":1,"method":"ping","params":[1]}`, Request{ID: jsontext.Value(`1`)}, CodeParam, "not an array"},
		{"params null", `{"params":null,"id":1,"method":"ping"}`, Request{ID: jsontext.Value(`1`)}, CodeParam, "not null"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, e := ParseRequest([]byte(tt.frame))
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("request (-want +got):\n%s", diff)
			}
			checkError(t, e, tt.code, tt.message)
		})
	}
}

func checkError(t *testing.T, e *Error, code Code, part string) {
	t.Helper()
	switch {
	case code == "" && e != nil:
		t.Errorf("refused: %v", e)
	case code != "" && e == nil:
		t.Errorf("taken, want %s", code)
	case code != "" && (e.Code != code || !strings.Contains(e.Message, part)):
		t.Errorf("refused with %q, want %s … %s", e, code, part)
	}
}

func TestDecodeParams(t *testing.T) {
	no := false
	for _, tt := range []struct {
		name, params string
		want         SendParams
		code         Code
		param        string
		message      string
	}{
		{"absent", ``, SendParams{}, "", "", ""},
		{"empty", `{}`, SendParams{}, "", "", ""},
		{
			"whole", `{"to":{"user":"bob"},"client_id":"c","content":{"type":"x"},"read":false}`,
			SendParams{To: To{User: "bob"}, ClientID: "c", Content: jsontext.Value(`{"type":"x"}`), Read: &no},
			"", "", "",
		},
		{"null is absent", `{"to":null,"client_id":null,"read":null}`, SendParams{}, "", "", ""},
		{"unknown", `{"whisper":["bob"]}`, SendParams{}, CodeUnknownParam, "whisper", "no parameter whisper"},
		{"unknown inside", `{"to":{"users":"bob"}}`, SendParams{}, CodeUnknownParam, "to.users", "no parameter to.users"},
		{"names have case", `{"Client_ID":"c"}`, SendParams{}, CodeUnknownParam, "Client_ID", ""},
		{"wrong type", `{"client_id":7}`, SendParams{}, CodeParam, "client_id", "client_id must be a string, not a number"},
		{"wrong type inside", `{"to":{"user":["bob"]}}`, SendParams{}, CodeParam, "to.user", "to.user must be a string, not an array"},
		{"not an object", `{"to":"bob"}`, SendParams{}, CodeParam, "to", "to must be an object, not a string"},
		{"wrong pointer type", `{"read":"yes"}`, SendParams{}, CodeParam, "read", "read must be true or false, not a string"},
		{"positional", `["bob"]`, SendParams{}, CodeParam, "params", "not an array"},
		{"null", `null`, SendParams{}, CodeParam, "params", "not null"},
		{"text", `"a"`, SendParams{}, CodeParam, "params", "not a string"},
		{"not JSON", `{"to"`, SendParams{}, CodeParse, "", "not JSON"},
		{"blank", ` `, SendParams{}, CodeParse, "", "not JSON"},
		{"duplicate", `{"content":{"a":1,"a":2}}`, SendParams{}, CodeParse, "", `"a" stands twice`},
		{"trailing", `{}{}`, SendParams{}, CodeParse, "", "not JSON"},
		{"too deep", `{"content":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`, SendParams{}, CodeParse, "", "32 levels"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got SendParams
			e := DecodeParams(jsontext.Value(tt.params), &got)
			checkError(t, e, tt.code, tt.message)
			if e != nil {
				if e.Param != tt.param {
					t.Errorf("param %q, want %q", e.Param, tt.param)
				}
				return
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("params (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecodeParamsNumbers(t *testing.T) {
	for _, tt := range []struct{ params, param, message string }{
		{`{"limit":1.5}`, "limit", "limit must be a whole number"},
		{`{"limit":1e2}`, "limit", "limit must be a whole number"},
		{`{"limit":"5"}`, "limit", "limit must be a whole number, not a string"},
		{`{"after_seq":9223372036854775808}`, "after_seq", "after_seq is out of range"},
	} {
		e := DecodeParams(jsontext.Value(tt.params), new(ListParams))
		checkError(t, e, CodeParam, tt.message)
		if e != nil && e.Param != tt.param {
			t.Errorf("%s: param %q, want %q", tt.params, e.Param, tt.param)
		}
	}
	e := DecodeParams(jsontext.Value(`{"ids":["a",5]}`), new(UsersGetParams))
	checkError(t, e, CodeParam, "ids.1 must be a string, not a number")
}

// What was decoded must stay when the frame's buffer is used again.
func TestDecodeParamsDoesNotAlias(t *testing.T) {
	frame := []byte(sendFrame)
	r, e := ParseRequest(frame)
	if e != nil {
		t.Fatal(e)
	}
	var got, want SendParams
	if e := DecodeParams(r.Params, &got); e != nil {
		t.Fatal(e)
	}
	clear(frame)
	r, _ = ParseRequest([]byte(sendFrame))
	if e := DecodeParams(r.Params, &want); e != nil {
		t.Fatal(e)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("changed with the frame (-want +got):\n%s", diff)
	}
}

func BenchmarkParseSend(b *testing.B) {
	frame := []byte(sendFrame)
	b.ReportAllocs()
	b.SetBytes(int64(len(frame)))
	for b.Loop() {
		r, e := ParseRequest(frame)
		if e != nil {
			b.Fatal(e)
		}
		var p SendParams
		if e := DecodeParams(r.Params, &p); e != nil {
			b.Fatal(e)
		}
	}
}
