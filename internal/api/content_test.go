package api_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/linnet-im/linnet/internal/api"
	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/wire"
)

func TestContent(t *testing.T) {
	w := lobbyWorld(t)
	alice := w.caller("alice")
	big := strings.Repeat("a", api.MaxContent)
	for n, tt := range []struct {
		content string
		stored  string // "" for what is refused
		param   string
		code    wire.Code
	}{
		{content: `{"type":"text","text":"hi"}`, stored: `{"type":"text","text":"hi"}`},
		{content: "{ \"text\" :\n\"a\\nb\",\t\"type\":\"text\" }", stored: `{"text":"a\nb","type":"text"}`},
		{content: `{"type":"image","text":"a cat","url":"https://e.x/c.jpg"}`, stored: `{"type":"image","text":"a cat","url":"https://e.x/c.jpg"}`},
		{content: `{"type":"custom","text":"","custom":{"a": [1, 2]}}`, stored: `{"type":"custom","text":"","custom":{"a":[1,2]}}`},
		{content: `{"type":"text","text":"你好 👋","custom":null}`, stored: `{"type":"text","text":"你好 👋","custom":null}`},
		{content: `"hi"`, param: "content", code: wire.CodeParam},
		{content: `null`, param: "content", code: wire.CodeParam},
		{content: `[]`, param: "content", code: wire.CodeParam},
		{content: `{"type":"text"}`, param: "content.text", code: wire.CodeParam},
		{content: `{"type":"text","text":null}`, param: "content.text", code: wire.CodeParam},
		{content: `{"type":"text","text":""}`, param: "content.text", code: wire.CodeParam},
		{content: `{"type":"text","text":5}`, param: "content.text", code: wire.CodeParam},
		{content: `{"type":"poll","text":"?"}`, param: "content.type", code: wire.CodeParam},
		{content: `{"text":"?"}`, param: "content.type", code: wire.CodeParam},
		{content: `{"type":"image","text":"a cat"}`, param: "content.url", code: wire.CodeParam},
		{content: `{"type":"text","text":"a","url":"https://e.x"}`, param: "content.url", code: wire.CodeParam},
		{content: `{"type":"text","text":"a","bold":true}`, param: "content.bold", code: wire.CodeParam},
		{content: `{"type":"text","text":"a","text":"b"}`, code: wire.CodeParse},
		{content: `{"type":"custom","text":"","custom":{"a":1,"a":2}}`, code: wire.CodeParse},
		{content: `{"type":"text","text":"` + big + `"}`, code: wire.CodeTooLarge},
	} {
		t.Run(fmt.Sprintf("%.60s", tt.content), func(t *testing.T) {
			result, err := w.call(alice, "messages.send", fmt.Sprintf(
				`{"to":{"conversation":"lobby"},"client_id":"00000000-0000-7000-8000-%012x","content":%s}`, n, tt.content))
			if tt.stored == "" {
				if err == nil || err.Code != tt.code || err.Param != tt.param || err.Outcome != wire.OutcomeNo {
					t.Errorf("got %+v, want %s of %q", err, tt.code, tt.param)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			list := w.must(alice, "messages.list", `{"conversation":"lobby","limit":1}`).(wire.ListResult)
			if want := `"content":` + tt.stored + `}`; !strings.HasSuffix(string(list.Events[0]), want) {
				t.Errorf("stored %s, want %s", list.Events[0], want)
			}
			if list.ToSeq != result.(wire.Place).Seq {
				t.Errorf("%d is the newest, %+v was answered", list.ToSeq, result)
			}
		})
	}
}

func TestParameters(t *testing.T) {
	w := lobbyWorld(t)
	alice := w.caller("alice")
	const cid = `"client_id":"00000000-0000-7000-8000-000000000001"`
	for _, tt := range []struct {
		method, params string
		param          string
		code           wire.Code
	}{
		{"messages.send", `{"to":{},` + cid + `,"content":{}}`, "to", wire.CodeParam},
		{"messages.send", `{"to":{"user":"a","conversation":"b"},` + cid + `,"content":{}}`, "to", wire.CodeParam},
		{"messages.send", `{"to":{"user":"a b"},` + cid + `,"content":{"type":"text","text":"a"}}`, "to.user", wire.CodeParam},
		{"messages.send", `{"to":{"user":"bob"},"client_id":"1","content":{}}`, "client_id", wire.CodeParam},
		{"messages.send", `{"to":{"user":"bob"},"whisper":["carol"],` + cid + `,"content":{}}`, "whisper", wire.CodeUnknownParam},
		{"messages.list", `{"conversation":"lobby","limit":201}`, "limit", wire.CodeParam},
		{"messages.list", `{"conversation":"lobby","limit":-1}`, "limit", wire.CodeParam},
		{"messages.list", `{"conversation":"lobby","after_seq":1,"before_seq":9}`, "before_seq", wire.CodeParam},
		{"messages.list", `{"conversation":"lobby","after_seq":-1}`, "after_seq", wire.CodeParam},
		{"messages.list", `{"conversation":"lobby","before_seq":9007199254740992}`, "before_seq", wire.CodeParam},
		{"messages.list", `{"conversation":"lobby","view":"raw"}`, "view", wire.CodeParam},
		{"messages.read", `{"conversation":"lobby","seq":-1}`, "seq", wire.CodeParam},
		{"conversations.create", `{"kind":"room"}`, "kind", wire.CodeParam},
		{"conversations.create", `{"kind":"direct","user":"bob","name":"x"}`, "kind", wire.CodeParam},
		{"conversations.create", `{"kind":"direct"}`, "user", wire.CodeParam},
		{"conversations.create", `{"kind":"group","user":"bob"}`, "user", wire.CodeParam},
		{"conversations.create", `{"kind":"group","history":"some",` + cid + `}`, "history", wire.CodeParam},
		{"conversations.create", `{"kind":"group"}`, "client_id", wire.CodeParam},
		{"conversations.leave", `{"conversation":"lobby","client_id":"x"}`, "client_id", wire.CodeParam},
		{"members.add", `{"conversation":"lobby",` + cid + `,"users":[]}`, "users", wire.CodeParam},
		{"members.list", `{"conversation":"lobby","limit":1000}`, "limit", wire.CodeParam},
		{"users.get", `{"ids":[]}`, "ids", wire.CodeParam},
		{"users.get", `{"ids":["a:b"]}`, "ids", wire.CodeParam},
		{"users.update", `{"name":""}`, "name", wire.CodeParam},
		{"sync", `{"cursor":"a","page":"b"}`, "page", wire.CodeParam},
		{"sync", `{"page":"b"}`, "page", wire.CodeParam},
		{"sync", `{"limit":500}`, "limit", wire.CodeParam},
	} {
		t.Run(tt.method+" "+tt.params, func(t *testing.T) {
			_, err := w.call(alice, tt.method, tt.params)
			if err == nil || err.Code != tt.code || err.Param != tt.param || err.Message == "" {
				t.Errorf("got %+v, want %s of %s", err, tt.code, tt.param)
			}
		})
	}
}

// A call's error says what became of it.
func TestErrors(t *testing.T) {
	first := chat.Place{Conversation: "c", Seq: 3, Time: time.Date(2026, 11, 25, 8, 0, 0, 0, time.UTC)}
	for _, tt := range []struct {
		err  error
		want *wire.Error
	}{
		{&chat.Error{Code: chat.CodeNotFound, Message: "m"}, &wire.Error{Code: wire.CodeNotFound, Message: "m", Outcome: wire.OutcomeNo}},
		{
			&chat.Error{Code: chat.CodeRate, Message: "m", RetryAfter: time.Second},
			&wire.Error{Code: wire.CodeRate, Message: "m", Outcome: wire.OutcomeRetry, RetryAfter: time.Second},
		},
		{&chat.Error{Code: chat.CodeBusy}, &wire.Error{Code: wire.CodeBusy, Outcome: wire.OutcomeRetry}},
		{&chat.Error{Code: chat.CodeStorage}, &wire.Error{Code: wire.CodeStorage, Outcome: wire.OutcomeRetry}},
		{&chat.Error{Code: chat.CodeUnknown}, &wire.Error{Code: wire.CodeUnknown, Outcome: wire.OutcomeUnknown}},
		{
			&chat.Error{Code: chat.CodeConflict, Param: "client_id", First: &first},
			&wire.Error{
				Code: wire.CodeConflict, Param: "client_id", Outcome: wire.OutcomeNo,
				First: &wire.Place{Conversation: "c", Seq: 3, Time: "2026-11-25T08:00:00.000Z"},
			},
		},
		// What is not for the caller to read is not told.
		{errors.New("secret"), &wire.Error{Code: wire.CodeInternal, Message: "something went wrong here", Outcome: wire.OutcomeUnknown}},
	} {
		if diff := cmp.Diff(tt.want, api.Error(fmt.Errorf("wrapped: %w", tt.err))); diff != "" {
			t.Errorf("%v (-want +got):\n%s", tt.err, diff)
		}
	}
}

// The codes of the domain are those of the wire.
func TestDomainCodesAreOnTheWire(t *testing.T) {
	known := make(map[wire.Code]bool)
	for _, c := range wire.Codes() {
		known[c.Code] = true
	}
	for _, c := range []chat.Code{
		chat.CodeParam, chat.CodeToken, chat.CodeElsewhere, chat.CodeDeleted, chat.CodeRevoked, chat.CodeNotFound, chat.CodeForbidden, chat.CodeConflict, chat.CodeRate,
		chat.CodeBusy, chat.CodeStorage, chat.CodeUnknown, chat.CodeInternal,
	} {
		if !known[wire.Code(c)] {
			t.Errorf("%s is no code of the wire", c)
		}
	}
}

func TestDirectConversationBeforeItsFirstMessage(t *testing.T) {
	w := lobbyWorld(t)
	alice := w.caller("alice")
	made := w.must(alice, "conversations.create", `{"kind":"direct","user":"bob"}`).(wire.Conversation)
	if made.ID != string(chat.DirectID("alice", "bob")) || made.Seq != 0 || made.User != "bob" || made.Membership != "joined" || made.Members != 2 {
		t.Errorf("got %+v", made)
	}
	// Nothing was written: it is in nobody's list.
	if _, err := w.call(alice, "conversations.get", `{"conversation":"`+made.ID+`"}`); err == nil || err.Code != wire.CodeNotFound {
		t.Errorf("got %v", err)
	}
	p := w.must(w.caller("bob"), "messages.send", `{"to":{"user":"alice"},"client_id":"00000000-0000-7000-8000-000000000001","content":{"type":"text","text":"hi"}}`).(wire.Place)
	got := w.must(alice, "conversations.create", `{"kind":"direct","user":"bob"}`).(wire.Conversation)
	if p.Conversation != made.ID || got.ID != made.ID || got.Seq != 1 || got.Unread != 1 || len(got.Last) == 0 {
		t.Errorf("got %+v and %+v", p, got)
	}
}
