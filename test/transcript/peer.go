package transcript

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/linnet-im/linnet/internal/testkit"
)

// peer is one party of a transcript, on some link.
type peer interface {
	send(s Step, text string) error
	// receive gives the next of what comes: a JSON value or, on text links, a string.
	// io.EOF says that the server has closed. skip says that a step is not for this link.
	receive(s Step, want any) (got any, skip bool, err error)
}

func dial(t *testing.T, server *testkit.Server, link string) (peer, error) {
	switch link {
	case "lines":
		return newJSONPeer(t, server.DialLines)
	case "websocket":
		return newJSONPeer(t, server.DialWebSocket)
	case "http":
		return &httpPeer{client: testkit.HTTP{Server: server}}, nil
	case "text":
		return &textPeer{server.DialText(t)}, nil
	case "udp":
		return &udpPeer{server.DialUDP(t)}, nil
	}
	return nil, fmt.Errorf("link %q", link)
}

// jsonPeer speaks JSON-RPC frames on a live connection.
type jsonPeer struct {
	conn   testkit.Conn
	lastID int
	owed   bool  // the last call has no answer yet
	sends  bool  // the last call was messages.send
	held   []any // notifications that came before an answer
}

func newJSONPeer(t *testing.T, dial func() (testkit.Conn, error)) (*jsonPeer, error) {
	conn, err := dial()
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { conn.Close() })
	return &jsonPeer{conn: conn}, nil
}

func (p *jsonPeer) send(s Step, text string) error {
	if text == End {
		return p.conn.Close()
	}
	if s.Verb == Call {
		p.lastID++
		p.owed, p.sends = true, strings.HasPrefix(text, `{"method":"messages.send"`)
		text = fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,%s`, p.lastID, strings.TrimPrefix(text, "{"))
	}
	return p.conn.Send([]byte(text))
}

// unasked are notices that come when the server sees fit; they are passed over where
// the transcript waits for something else.
func unasked(method any) bool {
	return method == "checkpoint" || method == "room.members" || method == "ping" || method == "delivered"
}

func (p *jsonPeer) receive(s Step, want any) (any, bool, error) {
	wanted, _ := want.(object)
	wantedMethod, notice := wanted.get("method")
	answer := s.Verb == Want && p.owed && !notice
	if !answer && len(p.held) > 0 {
		got := p.held[0]
		p.held = p.held[1:]
		return got, false, nil
	}
	for {
		frame, err := p.conn.Receive(testkit.Patience)
		if err != nil {
			return nil, false, err
		}
		v, err := decode(frame)
		if err != nil {
			return nil, false, err
		}
		o, ok := v.(object)
		if !ok {
			return nil, false, fmt.Errorf("a frame that is no object: %s", frame)
		}
		method, isNotice := o.get("method")
		if unasked(method) && method != wantedMethod {
			continue
		}
		if s.Verb == WantRaw {
			return o, false, nil
		}
		got, err := p.plain(o)
		if err == nil && answer && isNotice && !p.sends {
			// Only the answer to a send is promised to come before its event.
			p.held = append(p.held, got)
			continue
		}
		p.owed = p.owed && isNotice
		return got, false, err
	}
}

// plain checks a frame's jsonrpc and id, and takes them out.
func (p *jsonPeer) plain(o object) (any, error) {
	if version, _ := o.get("jsonrpc"); version != "2.0" {
		return nil, fmt.Errorf("jsonrpc is not 2.0: %s", encode(o))
	}
	id, hasID := o.get("id")
	if _, notice := o.get("method"); notice {
		if hasID {
			return nil, fmt.Errorf("a notification with an id: %s", encode(o))
		}
	} else if encode(id) != strconv.Itoa(p.lastID) {
		return nil, fmt.Errorf("the id is not %d: %s", p.lastID, encode(o))
	}
	return o.without("jsonrpc", "id"), nil
}

// httpPeer posts each call. Answers have the form they have on sockets, but for the
// number of an error, which HTTP does not have.
type httpPeer struct {
	client testkit.HTTP
	answer any
}

func (p *httpPeer) send(s Step, text string) error {
	if s.Verb != Call {
		return errors.New("raw frames are for sockets")
	}
	v, err := decode([]byte(text))
	if err != nil {
		return err
	}
	o, _ := v.(object)
	method, _ := o.get("method")
	name, _ := method.(string)
	body := "{}"
	if params, ok := o.get("params"); ok {
		body = encode(params)
	}
	answer, err := p.client.Post(name, []byte(body))
	var problem *testkit.Problem
	switch {
	case errors.As(err, &problem):
		p.answer, err = problemAnswer(problem)
		return err
	case err != nil:
		return err
	}
	result, err := decode(answer)
	if err != nil {
		return err
	}
	if r, ok := result.(object); ok && name == "session.open" {
		token, _ := r.get("token")
		bearer, _ := token.(string)
		if bearer == "" {
			return fmt.Errorf("session.open over HTTP gave no token: %s", answer)
		}
		p.client.Token = bearer
		result = r.without("token")
	}
	p.answer = object{{"result", result}}
	return nil
}

// problemAnswer gives a problem the form of an error answer.
func problemAnswer(p *testkit.Problem) (any, error) {
	detail, ok := p.Fields["detail"]
	if !ok || p.Fields["title"] == nil || p.Fields["status"] != float64(p.Status) {
		return nil, fmt.Errorf("not a whole problem: %v", p)
	}
	data := object{}
	for _, name := range []string{"code", "outcome", "param", "retry_after_ms", "first", "until"} {
		if v, ok := p.Fields[name]; ok {
			text, err := jsonText(v)
			if err != nil {
				return nil, err
			}
			data = append(data, member{name, text})
		}
	}
	return object{{"error", object{{"message", detail}, {"data", data}}}}, nil
}

func (p *httpPeer) receive(_ Step, want any) (any, bool, error) {
	wanted, _ := want.(object)
	if _, notice := wanted.get("method"); notice {
		return nil, true, nil
	}
	if p.answer == nil {
		return nil, false, errors.New("nothing was asked")
	}
	got := p.answer
	p.answer = nil
	return got, false, nil
}

// textPeer speaks the text protocol on a stream.
type textPeer struct{ *testkit.Text }

func (p *textPeer) send(_ Step, text string) error {
	if text == End {
		p.CloseWrite()
		return nil
	}
	p.Send(text)
	return nil
}

func (p *textPeer) receive(Step, any) (any, bool, error) {
	line, err := p.Line()
	return line, false, err
}

// udpPeer speaks the text protocol in datagrams.
type udpPeer struct{ *testkit.UDP }

func (p *udpPeer) send(_ Step, text string) error {
	p.Send(text)
	return nil
}

func (p *udpPeer) receive(Step, any) (any, bool, error) {
	got, err := p.Datagram()
	return strings.TrimSuffix(got, "\n"), false, err
}
