package e2e

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/linnet-im/linnet/internal/testkit"
)

// What a key may send over HTTP, and who may name a user. Mutants: a token with Linnet-User
// goes on as its own user; the limit of bodies not asked for the key, or not for people; an
// event stream for nobody.
func TestKeysOverHTTP(t *testing.T) {
	server := testkit.Start(t)
	key, token := server.Key(t, "send,read"), server.TokenFor(t, "alice")
	call := func(verb, path, bearer string, users []string, body string) (int, string) {
		t.Helper()
		req, err := http.NewRequest(verb, server.URL(path), strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Authorization", "Bearer "+bearer)
		for _, u := range users {
			req.Header.Add("Linnet-User", u)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(b)
	}
	const list = `{"limit":1}`
	long := `{"messages":[{"from":"shop","to":{"user":"bob"},"client_id":"x","content":{"type":"text","text":"` + string(bytes.Repeat([]byte("a"), 100<<10)) + `"}}]}`
	longer := `{"messages":[{"from":"` + string(bytes.Repeat([]byte("a"), 4<<20)) + `"}]}`
	for what, try := range map[string]struct {
		verb, path, bearer string
		users              []string
		body               string
		status             int
		says               string
	}{
		"a key for a user":        {"POST", "/v1/conversations.list", key, []string{"alice"}, list, 200, ""},
		"a key for nobody":        {"POST", "/v1/conversations.list", key, nil, list, 400, "user_required"},
		"for two":                 {"POST", "/v1/conversations.list", key, []string{"alice", "bob"}, list, 400, "invalid_param"},
		"for no id":               {"POST", "/v1/conversations.list", key, []string{"a b"}, list, 400, "invalid_param"},
		"for a guest":             {"POST", "/v1/conversations.list", key, []string{"guest:ann"}, list, 400, "invalid_param"},
		"for a wrong escape":      {"POST", "/v1/conversations.list", key, []string{"100%"}, list, 400, "invalid_param"},
		"a token for a user":      {"POST", "/v1/conversations.list", token, []string{"bob"}, list, 400, "invalid_param"},
		"a token for its own":     {"POST", "/v1/conversations.list", token, []string{"alice"}, list, 400, "invalid_param"},
		"a wrong key":             {"POST", "/v1/conversations.list", key + "a", []string{"alice"}, list, 401, "invalid_token"},
		"a long body, a key":      {"POST", "/v1/messages.send_batch", key, nil, long, 200, "failed"},
		"a long body, a token":    {"POST", "/v1/messages.send_batch", token, nil, long, 413, "too_large"},
		"too long for a key":      {"POST", "/v1/messages.send_batch", key, nil, longer, 413, "too_large"},
		"a poll for nobody":       {"GET", "/v1/poll?wait=0", key, nil, "", 400, "user_required"},
		"a poll for a user":       {"GET", "/v1/poll?wait=0", key, []string{"alice"}, "", 200, "cursor"},
		"a stream for nobody":     {"GET", "/v1/events", key, nil, "", 400, "user_required"},
		"session.open with a key": {"POST", "/v1/session.open", "", nil, `{"key":"` + key + `","user":"alice"}`, 400, "bearer"},
	} {
		if try.bearer == "" {
			try.bearer = token
		}
		status, body := call(try.verb, try.path, try.bearer, try.users, try.body)
		if status != try.status || !strings.Contains(body, try.says) {
			t.Errorf("%s: %d %.200s", what, status, body)
		}
	}
}
