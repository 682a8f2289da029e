package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"

	"github.com/linnet-im/linnet/internal/testkit"
)

// browser is a headless Chromium that is driven over its debugging protocol.
type browser struct {
	t    *testing.T
	addr string // of its debugging server
}

func startBrowser(t *testing.T) *browser {
	t.Helper()
	cmd := exec.Command(testkit.Need(t, "chromium", "chromium-browser", "google-chrome"),
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync",
		"--disable-dev-shm-usage", "--remote-debugging-port=0", "--user-data-dir="+t.TempDir(), "about:blank")
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	found, done := make(chan string, 1), make(chan struct{})
	go func() {
		defer close(done)
		for s := bufio.NewScanner(stderr); s.Scan(); {
			if _, after, ok := strings.Cut(s.Text(), "DevTools listening on ws://"); ok {
				addr, _, _ := strings.Cut(after, "/")
				found <- addr
			}
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		<-done
		_ = cmd.Wait()
	})
	select {
	case addr := <-found:
		return &browser{t, addr}
	case <-done:
		t.Fatal("the browser ended")
	case <-time.After(time.Minute):
		t.Fatal("the browser did not start in a minute")
	}
	return nil
}

// open opens a page in a new tab and waits until it is loaded.
func (b *browser) open(url string) *page {
	b.t.Helper()
	req, err := http.NewRequest(http.MethodPut, "http://"+b.addr+"/json/new?about:blank", nil)
	if err != nil {
		b.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	var tab struct{ WebSocketDebuggerURL string }
	if err := json.NewDecoder(resp.Body).Decode(&tab); err != nil {
		b.t.Fatal(err)
	}
	conn, _, err := websocket.Dial(b.t.Context(), tab.WebSocketDebuggerURL, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	conn.SetReadLimit(16 << 20)
	b.t.Cleanup(func() { conn.CloseNow() })
	p := &page{t: b.t, conn: conn}
	p.do("Page.navigate", map[string]any{"url": url})
	p.until(fmt.Sprintf("location.href === %q && document.readyState === 'complete'", url))
	return p
}

// page is a tab.
type page struct {
	t    *testing.T
	conn *websocket.Conn
	id   int
}

// do runs a command of the debugging protocol.
func (p *page) do(method string, params map[string]any) json.RawMessage {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), 2*testkit.Patience)
	defer cancel()
	p.id++
	if err := wsjson.Write(ctx, p.conn, map[string]any{"id": p.id, "method": method, "params": params}); err != nil {
		p.t.Fatalf("%s: %v", method, err)
	}
	for {
		var m struct {
			ID     int
			Result json.RawMessage
			Error  json.RawMessage
		}
		if err := wsjson.Read(ctx, p.conn, &m); err != nil {
			p.t.Fatalf("%s: %v", method, err)
		}
		if m.ID != p.id {
			continue // an event of the browser
		}
		if m.Error != nil {
			p.t.Fatalf("%s: %s", method, m.Error)
		}
		return m.Result
	}
}

// eval evaluates an expression in the page, waits for it if it is a promise, and decodes its value.
func (p *page) eval(expression string, value any) {
	p.t.Helper()
	raw := p.do("Runtime.evaluate", map[string]any{
		"expression": expression, "awaitPromise": true, "returnByValue": true,
	})
	var r struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails json.RawMessage
	}
	if err := json.Unmarshal(raw, &r); err != nil || r.ExceptionDetails != nil {
		p.t.Fatalf("%s: %v %s", expression, err, r.ExceptionDetails)
	}
	if value != nil {
		if err := json.Unmarshal(r.Result.Value, value); err != nil {
			p.t.Fatalf("%s: %v", raw, err)
		}
	}
}

// until waits, in the page, for a condition.
func (p *page) until(condition string) {
	p.t.Helper()
	var ok bool
	p.eval(fmt.Sprintf(`new Promise(done => {
		const end = Date.now() + %d;
		(function look() {
			if (%s) done(true); else if (Date.now() > end) done(false); else setTimeout(look, 20);
		})();
	})`, testkit.Patience.Milliseconds(), condition), &ok)
	if !ok {
		var text string
		p.eval("document.body.innerText", &text)
		p.t.Fatalf("the page never came to %s; it shows:\n%s", condition, text)
	}
}

// enter types a text into a field, as keys do, and presses Enter.
func (p *page) enter(field, text string) {
	p.t.Helper()
	p.until(fmt.Sprintf("(f => f && f.offsetParent !== null)(document.querySelector(%q))", field))
	p.eval(fmt.Sprintf("document.querySelector(%q).focus()", field), nil)
	p.do("Input.insertText", map[string]any{"text": text})
	for _, kind := range []string{"keyDown", "keyUp"} {
		p.do("Input.dispatchKeyEvent", map[string]any{
			"type": kind, "key": "Enter", "code": "Enter", "text": "\r", "windowsVirtualKeyCode": 13,
		})
	}
}

// shows waits until the page shows a text.
func (p *page) shows(text string) {
	p.t.Helper()
	p.until(fmt.Sprintf("document.body.innerText.includes(%q)", text))
}

// count says how often the page shows a text.
func (p *page) count(text string) (n int) {
	p.t.Helper()
	p.eval(fmt.Sprintf("document.body.innerText.split(%q).length - 1", text), &n)
	return n
}

// readsHistory signs in as a newcomer, who must be shown what was said before.
func (p *page) readsHistory(name string, said map[string]string) {
	p.t.Helper()
	p.enter("#name", name)
	for _, text := range said {
		p.shows(text)
	}
}
