package session

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/linnet-im/linnet/internal/api"
	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/internal/presence"
	"github.com/linnet-im/linnet/internal/router"
	"github.com/linnet-im/linnet/wire/line"
)

// TextFormat is how the text links print: `NAME: TEXT`, and `NAME has joined`.
func TextFormat() *router.Format {
	return &router.Format{
		Event: func(dst []byte, e *chat.Event) []byte {
			if e.Kind != chat.Message || e.Erased {
				return dst
			}
			return line.Render(dst, displayName(e.From), printable(e.Content))
		},
		Joined: func(dst []byte, user chat.UserID) []byte { return line.Joined(dst, displayName(user)) },
	}
}

// displayName is what the text links call a user. Nothing a guest can choose begins with "@".
func displayName(u chat.UserID) string {
	if name, ok := strings.CutPrefix(string(u), "guest:"); ok {
		return name
	}
	return "@" + string(u)
}

// printable is a message's content as text.
func printable(content []byte) string {
	var c struct {
		Type       string  `json:"type"`
		Text       string  `json:"text"`
		URL        string  `json:"url"`
		Name       string  `json:"name"`
		User       string  `json:"user"`
		Title      string  `json:"title"`
		DurationMS int64   `json:"duration_ms"`
		Lat        float64 `json:"lat"`
		Lng        float64 `json:"lng"`
	}
	if err := json.Unmarshal(content, &c); err != nil {
		return "[unreadable]"
	}
	switch c.Type {
	case "image", "video":
		return "[" + c.Type + "] " + c.URL
	case "voice":
		return fmt.Sprintf("[voice, %d s] %s", (c.DurationMS+500)/1000, c.URL)
	case "file":
		return "[file] " + c.Name + " " + c.URL
	case "location":
		return strings.TrimRight(fmt.Sprintf("[location] %.5f,%.5f %s", c.Lat, c.Lng, c.Title), " ")
	case "card":
		return "[card] " + displayName(chat.UserID(c.User))
	case "forward":
		return "[forward] " + cmp.Or(c.Title, c.Text)
	}
	return c.Text
}

// Text is a peer that speaks the text protocol: a guest in the lobby once it has given a name.
type Text struct {
	hub    *Hub
	peer   Peer
	format *router.Format
	remote Remote
	began  time.Time

	mu      sync.Mutex
	user    chat.UserID
	live    *router.Live
	present *presence.Session
	closed  bool
	stopped bool // nothing more is taken
}

// NewText makes the session of a text connection. format is TextFormat's, one for all.
func (h *Hub) NewText(peer Peer, format *router.Format, remote Remote) *Text {
	t := &Text{hub: h, peer: peer, format: format, remote: remote, began: time.Now()}
	h.add(t)
	return t
}

// SignIn makes the peer the guest of that name. Everybody in the lobby who is on text
// is told, the peer too. Another name later makes it another guest.
func (t *Text) SignIn(name string) error {
	user, err := t.hub.guest(name)
	if err != nil {
		return told(err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed || t.user == user {
		return nil
	}
	if _, err := t.hub.CheckRoom(context.Background(), user, chat.Lobby); err != nil {
		return told(err) // the guest is banned from it
	}
	first := t.live == nil
	if !first {
		t.hub.cfg.Router.Remove(t.live)
		t.hub.cfg.Presence.Leave(t.present)
	}
	t.user = user
	t.live = t.hub.cfg.Router.Add(user, t.format, t, t.hub.cfg.Chat.Position())
	t.present = t.hub.cfg.Presence.Enter(user, "text", "")
	t.hub.enterRooms(context.Background(), t.live, user, []chat.ConversationID{chat.Lobby})
	if first && t.remote.SignedIn != nil {
		t.remote.SignedIn()
	}
	return nil
}

// Say posts to the lobby. done is called once: when the message is on disk and its echo
// on the way to the peer, or with what went wrong. It does not block.
func (t *Text) Say(text string, done func(error)) {
	t.mu.Lock()
	user, stopped := t.user, t.stopped
	t.mu.Unlock()
	if stopped {
		done(errors.New("the server is restarting; come back in a moment"))
		return
	}
	if user == "" {
		done(errors.New("say who you are first: iam:NAME"))
		return
	}
	if text == "" {
		done(errors.New("say something: msg:TEXT"))
		return
	}
	content, err := json.Marshal(struct {
		Type string `json:"type"`
		Text string `json:"text"`
	}{"text", text})
	if err != nil {
		done(err)
		return
	}
	t.hub.cfg.Chat.Send(chat.Actor{User: user, Limited: !t.remote.Loopback},
		chat.Send{Conversation: chat.Lobby, Content: content}, &said{done: done})
}

// said is a text message that waits for its commit. The echo is an event like any other,
// pushed before Flush.
type said struct {
	done func(error)
	err  error
}

func (s *said) Answer(_ chat.Place, err error) { s.err = err }
func (s *said) Flush()                         { s.done(told(s.err)) }

// told is what of an error a person at a terminal is told.
func told(err error) error {
	if err == nil {
		return nil
	}
	return errors.New(api.Error(err).Message)
}

// Leave says that the connection has ended. A second call does nothing.
func (t *Text) Leave() {
	t.mu.Lock()
	t.closed = true
	live, present := t.live, t.present
	t.mu.Unlock()
	if live != nil {
		t.hub.cfg.Router.Remove(live)
		t.hub.cfg.Presence.Leave(present)
	}
	t.hub.remove(t)
}

// Push sends lines.
func (t *Text) Push(lines []byte) { t.peer.Send(lines) }

// Checkpoint does nothing: the text protocol has no cursors.
func (t *Text) Checkpoint(chat.Position) {}

func (t *Text) link() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.live == nil {
		return ""
	}
	return "text"
}

func (t *Text) check(now time.Time) {
	t.mu.Lock()
	anonymous := t.live == nil
	t.mu.Unlock()
	if anonymous && now.Sub(t.began) > signInTime {
		t.peer.CloseAfter([]byte("error: nobody signed in for two minutes; come back with iam:NAME\n"), drainWait)
	}
}

func (t *Text) stop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stopped = true
}

func (t *Text) drain() {
	t.peer.CloseAfter([]byte("error: the server is restarting; come back in a moment\n"), drainWait)
}
