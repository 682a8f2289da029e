package bench

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/golang-jwt/jwt/v5"
)

// fake is as much of a Linnet server as the generator talks to, in memory. It can
// break a promise on purpose.
type fake struct {
	secret []byte
	fault  string // what goes wrong with the message at seq faultSeq of each conversation

	mu            sync.Mutex
	users         map[string]net.Conn
	conversations map[string]*fakeLog
	connections   sync.WaitGroup
}

// faultSeq is beyond what the setup of a workload sends.
const faultSeq = 5

type fakeLog struct {
	members []string
	events  []json.RawMessage
	seen    map[string]int // seq by client_id
}

func newFake(dir, fault string) (*fake, error) {
	f := &fake{
		secret: []byte("a secret for tests"), fault: fault,
		users: make(map[string]net.Conn), conversations: make(map[string]*fakeLog),
	}
	return f, os.WriteFile(filepath.Join(dir, "secret"), append(f.secret, '\n'), 0o600)
}

// serve answers connections until l is closed, and then closes them.
func (f *fake) serve(l net.Listener) {
	var conns []net.Conn
	for {
		c, err := l.Accept()
		if err != nil {
			break
		}
		conns = append(conns, c)
		f.connections.Go(func() { f.talk(c) })
	}
	for _, c := range conns {
		c.Close()
	}
	f.connections.Wait()
}

func (f *fake) talk(c net.Conn) {
	defer c.Close()
	var user string
	in := bufio.NewReader(c)
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return
		}
		var call struct {
			ID     int64
			Method string
			Params struct {
				Token        string
				To           struct{ User, Conversation string }
				Conversation string
				ClientID     string `json:"client_id"`
				Members      []string
				Limit        int
				Content      json.RawMessage
			}
		}
		if err := json.Unmarshal(line, &call); err != nil {
			fmt.Fprintln(c, `{"jsonrpc":"2.0","id":null,"error":{"message":"no JSON"}}`)
			continue
		}
		f.mu.Lock()
		switch p := call.Params; call.Method {
		case "session.open":
			token, err := jwt.Parse(p.Token, func(*jwt.Token) (any, error) { return f.secret, nil }, jwt.WithExpirationRequired())
			if err != nil {
				fmt.Fprintf(c, `{"jsonrpc":"2.0","id":%d,"error":{"message":"who is it?","data":{"code":"invalid_token"}}}`+"\n", call.ID)
				break
			}
			user, _ = token.Claims.GetSubject()
			f.users[user] = c
			fmt.Fprintf(c, `{"jsonrpc":"2.0","id":%d,"result":{}}`+"\n", call.ID)
		case "conversations.create":
			id := fmt.Sprintf("g_%d", len(f.conversations))
			f.conversations[id] = &fakeLog{members: append(p.Members, user), seen: make(map[string]int)}
			fmt.Fprintf(c, `{"jsonrpc":"2.0","id":%d,"result":{"id":%q}}`+"\n", call.ID, id)
			f.post(f.conversations[id], id, fmt.Sprintf(`"kind":"created","client_id":%q`, p.ClientID))
		case "messages.send":
			id := p.To.Conversation
			if id == "" {
				id = "d_" + user + p.To.User
			}
			log := f.conversations[id]
			if log == nil {
				log = &fakeLog{members: []string{user, p.To.User}, seen: make(map[string]int)}
				f.conversations[id] = log
			}
			seq := len(log.events) + 1
			if log.seen[p.ClientID] != 0 {
				panic("the generator used a client_id twice")
			}
			log.seen[p.ClientID] = seq
			answer := fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"result":{"conversation":%q,"seq":%d}}`+"\n", call.ID, id, seq)
			if f.fault == "answer twice" && seq == faultSeq {
				answer += answer
			}
			if f.fault == "wrong seq" && seq == faultSeq {
				answer = strings.Replace(answer, `"seq":5`, `"seq":6`, 1)
			}
			io.WriteString(c, answer)
			f.post(log, id, fmt.Sprintf(`"kind":"message","client_id":%q,"content":%s`, p.ClientID, p.Content))
		case "messages.list":
			log := f.conversations[p.Conversation]
			events := log.events[max(0, len(log.events)-p.Limit):]
			page, _ := json.Marshal(events)
			fmt.Fprintf(c, `{"jsonrpc":"2.0","id":%d,"result":{"head_seq":%d,"events":%s}}`+"\n", call.ID, len(log.events), page)
		}
		f.mu.Unlock()
	}
}

// post logs an event and sends it to all members.
func (f *fake) post(log *fakeLog, id, fields string) {
	seq := len(log.events) + 1
	event := fmt.Sprintf(`{"conversation":%q,"seq":%d,%s}`, id, seq, fields)
	log.events = append(log.events, json.RawMessage(event))
	frame := `{"jsonrpc":"2.0","method":"event","params":` + event + "}\n"
	for i, m := range log.members {
		c := f.users[m]
		if c == nil {
			continue
		}
		out := frame
		if seq == faultSeq && i == 1 {
			switch f.fault {
			case "event twice":
				out += frame
			case "event lost":
				out = ""
			}
		}
		io.WriteString(c, out)
	}
}
