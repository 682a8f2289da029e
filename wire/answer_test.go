package wire

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
)

// answers are used both ways: what is appended, and what a client makes of it.
func answers(t *testing.T) []struct {
	name   string
	answer Answer
	frame  string
	write  func(dst []byte) []byte
} {
	place := Place{Conversation: "d_abc", Seq: 12, Time: "2026-11-23T08:00:00.123Z"}
	id := jsontext.Value(`"q1"`)
	refusal := &Error{
		Code: CodeConflict, Message: "say \"who\"\n", Outcome: OutcomeNo,
		RetryAfter: 1500 * time.Millisecond, Param: "client_id", First: &place,
	}
	result := func(dst []byte, v any) []byte {
		dst, err := AppendResult(dst, id, v)
		if err != nil {
			t.Fatal(err)
		}
		return dst
	}
	placeJSON := `{"conversation":"d_abc","seq":12,"time":"2026-11-23T08:00:00.123Z"}`
	return []struct {
		name   string
		answer Answer
		frame  string
		write  func(dst []byte) []byte
	}{
		{
			"place",
			Answer{ID: id, Result: jsontext.Value(placeJSON)},
			`{"jsonrpc":"2.0","id":"q1","result":` + placeJSON + `}`,
			func(dst []byte) []byte { return AppendPlaceResult(dst, id, place) },
		},
		{
			"empty",
			Answer{ID: id, Result: jsontext.Value(`{}`)},
			`{"jsonrpc":"2.0","id":"q1","result":{}}`,
			func(dst []byte) []byte { return result(dst, Empty{}) },
		},
		{
			"lists are not null",
			Answer{ID: id, Result: jsontext.Value(`{"users":[]}`)},
			`{"jsonrpc":"2.0","id":"q1","result":{"users":[]}}`,
			func(dst []byte) []byte { return result(dst, &UsersResult{}) },
		},
		{
			"stored JSON on one line",
			Answer{ID: id, Result: jsontext.Value(`{"conversation":"c","from_seq":1,"to_seq":1,"head_seq":1,"events":[{"seq":1}]}`)},
			`{"jsonrpc":"2.0","id":"q1","result":{"conversation":"c","from_seq":1,"to_seq":1,"head_seq":1,"events":[{"seq":1}]}}`,
			func(dst []byte) []byte {
				return result(dst, &ListResult{Conversation: "c", FromSeq: 1, ToSeq: 1, HeadSeq: 1, Events: []jsontext.Value{jsontext.Value("{\n\"seq\": 1}")}})
			},
		},
		{
			"error with everything",
			Answer{ID: id, Err: refusal},
			`{"jsonrpc":"2.0","id":"q1","error":{"code":-32000,"message":"say \"who\"\n","data":{"code":"client_id_reused","outcome":"no","retry_after_ms":1500,"param":"client_id","first":` + placeJSON + `}}}`,
			func(dst []byte) []byte { return AppendError(dst, id, refusal) },
		},
		{
			"error without an id",
			Answer{Err: &Error{Code: CodeParse, Message: "not JSON", Outcome: OutcomeNo}},
			`{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"not JSON","data":{"code":"parse_error","outcome":"no"}}}`,
			func(dst []byte) []byte {
				return AppendError(dst, nil, &Error{Code: CodeParse, Message: "not JSON"})
			},
		},
		{
			"notification",
			Answer{Method: "event", Params: jsontext.Value(`{"seq":1}`)},
			`{"jsonrpc":"2.0","method":"event","params":{"seq":1}}`,
			func(dst []byte) []byte { return AppendNotification(dst, "event", []byte(`{"seq":1}`)) },
		},
	}
}

func TestAnswers(t *testing.T) {
	for _, tt := range answers(t) {
		t.Run(tt.name, func(t *testing.T) {
			got := string(tt.write([]byte("before ")))
			if want := "before " + tt.frame; got != want {
				t.Errorf("appended\n%s\nwant\n%s", got, want)
			}
			if strings.Contains(got, "\n") {
				t.Error("a newline in a frame")
			}
			answer, err := ParseAnswer([]byte(tt.frame))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.answer, answer); diff != "" {
				t.Errorf("parsed (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPlaceResultIsTheGenericOne(t *testing.T) {
	for _, p := range []Place{
		{},
		{Conversation: "lobby", Seq: 1, Time: "2026-11-23T08:00:00.123Z"},
		{Conversation: "客厅 \"<&>\"\n\u2028", Seq: -1 << 63, Time: "\\"},
	} {
		for _, id := range []jsontext.Value{nil, jsontext.Value(`1`), jsontext.Value(`"a\"b"`)} {
			want, err := AppendResult(nil, id, p)
			if err != nil {
				t.Fatal(err)
			}
			if got := AppendPlaceResult(nil, id, p); string(got) != string(want) {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		}
	}
}

func TestAppendResultRefusesWhatIsNoJSON(t *testing.T) {
	dst, err := AppendResult([]byte("before"), nil, User{ID: "\xff"})
	if err == nil || string(dst) != "before" {
		t.Errorf("got %q, %v", dst, err)
	}
}

func TestAppendErrorTakesAnyText(t *testing.T) {
	frame := AppendError(nil, nil, &Error{Code: "\xff", Message: "a\xff", Param: "\xff", RetryAfter: time.Nanosecond})
	a, err := ParseAnswer(frame)
	if err != nil {
		t.Fatalf("%v: %s", err, frame)
	}
	want := &Error{Code: "\ufffd", Message: "a\ufffd", Outcome: OutcomeNo, Param: "\ufffd", RetryAfter: time.Millisecond}
	if diff := cmp.Diff(want, a.Err); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestParseAnswerIsTolerant(t *testing.T) {
	for _, tt := range []struct {
		name, frame string
		want        Answer
	}{
		{"unknown members", `{"jsonrpc":"3","id":1,"result":{"a":1},"trace":[1]}`, Answer{ID: jsontext.Value(`1`), Result: jsontext.Value(`{"a":1}`)}},
		{"null result", `{"id":1,"result":null}`, Answer{ID: jsontext.Value(`1`), Result: jsontext.Value(`null`)}},
		{"no params", `{"method":"close"}`, Answer{Method: "close"}},
		{"null error", `{"id":1,"result":{},"error":null}`, Answer{ID: jsontext.Value(`1`), Result: jsontext.Value(`{}`)}},
		{"error without data", `{"id":1,"error":{"code":-32601,"message":"m"}}`, Answer{ID: jsontext.Value(`1`), Err: &Error{Code: CodeMethod, Message: "m", Outcome: OutcomeNo}}},
		{"unknown number", `{"id":1,"error":{"code":7,"message":"m","data":5}}`, Answer{ID: jsontext.Value(`1`), Err: &Error{Code: CodeInternal, Message: "m", Outcome: OutcomeNo}}},
		{
			"unknown code and odd data", `{"id":1,"error":{"code":-32000,"message":"m","data":{"code":"room_busy","outcome":"retry","retry_after_ms":"soon","first":3,"more":{}}}}`,
			Answer{ID: jsontext.Value(`1`), Err: &Error{Code: "room_busy", Message: "m", Outcome: OutcomeRetry}},
		},
		{
			"endless wait", `{"id":1,"error":{"code":-32000,"message":"m","data":{"code":"busy","outcome":"unknown","retry_after_ms":9223372036854775807}}}`,
			Answer{ID: jsontext.Value(`1`), Err: &Error{Code: CodeBusy, Message: "m", Outcome: OutcomeUnknown, RetryAfter: 9223372036854 * time.Millisecond}},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseAnswer([]byte(tt.frame))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	for _, frame := range []string{``, `{`, `[]`, `{}`, `{"id":1}`, `{"result":{}}`, `{"id":null,"result":{}}`} {
		if a, err := ParseAnswer([]byte(frame)); err == nil {
			t.Errorf("%q was taken for %+v", frame, a)
		}
	}
}

func TestProblem(t *testing.T) {
	e := &Error{Code: CodeRate, Message: "too fast", Outcome: OutcomeRetry, RetryAfter: 2 * time.Second, Param: "to"}
	status, body := Problem(e)
	const want = `{"type":"about:blank","title":"Too Many Requests","status":429,"detail":"too fast",` +
		`"code":"rate_limited","outcome":"retry","retry_after_ms":2000,"param":"to"}`
	if status != 429 || string(body) != want {
		t.Errorf("got %d %s\nwant 429 %s", status, body, want)
	}
	if diff := cmp.Diff(e, ParseProblem(status, body)); diff != "" {
		t.Errorf("read back (-want +got):\n%s", diff)
	}
	for _, info := range Codes() {
		status, body := Problem(Errorf(info.Code, "m"))
		if got := ParseProblem(status, body); status != info.Status || got.Code != info.Code || got.Outcome != OutcomeNo {
			t.Errorf("%s: %d, read back as %+v", info.Code, status, got)
		}
	}
}

func TestParseProblemFromAProxy(t *testing.T) {
	for _, tt := range []struct {
		status  int
		body    string
		code    Code
		outcome Outcome
		message string
	}{
		{502, "<html>", CodeBusy, OutcomeUnknown, "the server answered with status 502"},
		{404, "", CodeInternal, OutcomeNo, "the server answered with status 404"},
		{503, `{"detail":"draining"}`, CodeBusy, OutcomeUnknown, "draining"},
	} {
		e := ParseProblem(tt.status, []byte(tt.body))
		if e.Code != tt.code || e.Outcome != tt.outcome || e.Message != tt.message {
			t.Errorf("%d %s: got %+v", tt.status, tt.body, e)
		}
	}
}

func TestErrorIsAnError(t *testing.T) {
	var err error = Errorf(CodeNotFound, "no %s", "room")
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Outcome != OutcomeNo || err.Error() != "not_found: no room" {
		t.Errorf("got %v", err)
	}
}

func BenchmarkAppendPlaceResult(b *testing.B) {
	p := Place{Conversation: "d_abcdefghijklmnopqrstuvwxyz", Seq: 1234, Time: "2026-11-23T08:00:00.123Z"}
	id := jsontext.Value(`12`)
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = AppendPlaceResult(buf[:0], id, p)
	}
	if !jsontext.Value(buf).IsValid() {
		b.Fatalf("not JSON: %s", buf)
	}
}
