// Package presence is this node's board of who is there: which sessions a user has open
// and what each says of itself, and who watches whom. Nothing of it is kept on disk.
//
// Whatever is told of a user, in a snapshot or in a notice, is its full state, so that
// the next one makes good what was lost. Changes are told once a second; that somebody
// went, after a grace in which it may come back unnoticed.
package presence

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/wire"
)

const (
	// Lease is how long a watch holds: who wants to go on asks again before it ends.
	Lease = 5 * time.Minute
	// MaxWatched is how many users one watcher may watch.
	MaxWatched = 200

	tellEvery = time.Second
	// grace is how long after its last session ended a user is still shown as it was.
	grace = 5 * time.Second
	// sweepEvery is how often watches whose lease has ended are looked for.
	sweepEvery = time.Minute
	// seenStep is how exactly others are told when a user was last seen.
	seenStep = time.Minute
	// maxShown is how many sessions of a user are shown.
	maxShown = 8
)

// State is what a session says of itself, or a user's sessions together.
type State string

// The states, the most present first. A user is Offline when it has no session.
const (
	Active     State = "active"
	Away       State = "away"
	Background State = "background" // connected, but nobody looks; it may be asleep any moment
	Offline    State = "offline"
)

// ParseState says whether text is a state that a session can have.
func ParseState(text string) (State, bool) {
	s := State(text)
	return s, s == Active || s == Away || s == Background
}

func (s State) rank() int { return slices.Index([]State{Active, Away, Background, Offline}, s) }

// Board is the board. Its methods may be called concurrently and do not block.
type Board struct {
	// telling is held while watchers are told, so that they hear of changes in their
	// order; mu is not held then. telling is taken first.
	telling sync.Mutex

	mu    sync.Mutex
	users map[chat.UserID]*person
	dirty map[chat.UserID]bool // what was told of them may be wrong
}

// person is a user who is there, was there a moment ago, or is watched.
type person struct {
	sessions []*Session
	watchers map[*Watcher]struct{} // nil for none: most are watched by nobody
	status   string
	seen     time.Time      // when the last session ended, as far as is known
	hideSeen bool           // that is not shown
	graceEnd time.Time      // until then it is shown as it was
	shown    *wire.Presence // as it was
	told     string         // the JSON that every watcher knows
}

// Session is a session on the board.
type Session struct {
	user     chat.UserID
	platform string
	since    time.Time
	state    State // guarded by Board.mu
}

// Sink is where a watcher is told. It must not block and not call the board.
type Sink interface {
	Notify(method string, params []byte)
}

// Watcher is who watches users.
type Watcher struct {
	user  chat.UserID
	sink  Sink
	until map[chat.UserID]time.Time // guarded by Board.mu
}

// New makes an empty board. Changes are told while Run runs.
func New() *Board {
	return &Board{users: make(map[chat.UserID]*person), dirty: make(map[chat.UserID]bool)}
}

// Enter puts a session of a user on the board, active. Leave takes it off.
func (b *Board) Enter(user chat.UserID, platform, status string) *Session {
	s := &Session{user: user, platform: platform, since: time.Now(), state: Active}
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.person(user)
	p.sessions = append(p.sessions, s)
	p.status = status
	b.dirty[user] = true
	return s
}

// Set sets what a session says of itself.
func (b *Board) Set(s *Session, state State) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s.state = state
	b.dirty[s.user] = true
}

// StateOf answers what a session says of itself.
func (b *Board) StateOf(s *Session) State {
	b.mu.Lock()
	defer b.mu.Unlock()
	return s.state
}

// SetStatus sets a user's status text, if the user is on the board.
func (b *Board) SetStatus(user chat.UserID, status string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if p := b.users[user]; p != nil {
		p.status = status
		b.dirty[user] = true
	}
}

// HideSeen sets whether others are shown when a user was last seen.
func (b *Board) HideSeen(user chat.UserID, hide bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if p := b.users[user]; p != nil {
		p.hideSeen = hide
		b.dirty[user] = true
	}
}

// Leave takes a session off the board. A second call does nothing.
func (b *Board) Leave(s *Session) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.users[s.user]
	if p == nil {
		return
	}
	i := slices.Index(p.sessions, s)
	if i < 0 {
		return
	}
	if len(p.sessions) == 1 {
		last, now := p.present(s.user), time.Now()
		p.shown, p.seen, p.graceEnd = &last, now, now.Add(grace)
	}
	p.sessions = slices.Delete(p.sessions, i, i+1)
	b.dirty[s.user] = true
}

// Present says whether a user has a session on the board.
func (b *Board) Present(user chat.UserID) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.users[user]
	return p != nil && len(p.sessions) > 0
}

// person gives the user's person, a new one if it is not on the board. Under b.mu.
func (b *Board) person(user chat.UserID) *person {
	p := b.users[user]
	if p == nil {
		p = new(person)
		b.users[user] = p
	}
	return p
}

// show gives what is to be seen of a user at now.
func (p *person) show(user chat.UserID, now time.Time) wire.Presence {
	switch {
	case len(p.sessions) > 0:
		return p.present(user)
	case now.Before(p.graceEnd):
		return *p.shown
	}
	seen := p.seen
	if p.hideSeen {
		seen = time.Time{}
	}
	return offline(user, p.status, seen)
}

// present gives what is to be seen of a user who has sessions.
func (p *person) present(user chat.UserID) wire.Presence {
	sessions := slices.Clone(p.sessions)
	slices.SortFunc(sessions, func(x, y *Session) int {
		if c := x.state.rank() - y.state.rank(); c != 0 {
			return c
		}
		if c := y.since.Compare(x.since); c != 0 {
			return c
		}
		return strings.Compare(x.platform, y.platform)
	})
	best := sessions[0].state
	out := wire.Presence{User: string(user), Online: best != Background, State: string(best), Status: p.status}
	for _, s := range sessions[:min(maxShown, len(sessions))] {
		out.Devices = append(out.Devices, wire.PresenceDevice{Platform: s.platform, State: string(s.state)})
	}
	return out
}

func offline(user chat.UserID, status string, seen time.Time) wire.Presence {
	p := wire.Presence{User: string(user), State: string(Offline), Status: status}
	if !seen.IsZero() {
		p.LastSeen = wire.FormatTime(seen.UTC().Truncate(seenStep))
	}
	return p
}

// Hidden is what is shown of a user to those who may not see it, and of one nobody knows.
func Hidden(user chat.UserID) wire.Presence { return offline(user, "", time.Time{}) }

// Show gives what is to be seen of a user; account is what is kept of it.
func (b *Board) Show(account *chat.Account) wire.Presence {
	b.mu.Lock()
	defer b.mu.Unlock()
	if p := b.users[account.User]; p != nil && (len(p.sessions) > 0 || time.Now().Before(p.graceEnd)) {
		return p.show(account.User, time.Now())
	}
	seen := account.Seen
	if account.HideSeen {
		seen = time.Time{}
	}
	return offline(account.User, account.Status, seen)
}

// NewWatcher makes a watcher for a session of a user, that watches nobody. End ends it.
func (b *Board) NewWatcher(user chat.UserID, sink Sink) *Watcher {
	return &Watcher{user: user, sink: sink, until: make(map[chat.UserID]time.Time)}
}

// Watch watches users for a Lease, or goes on to, and answers what is to be seen of
// them, in the order asked. What is kept of each comes with it. It answers false, and
// watches nobody anew, when that would be more than MaxWatched.
func (b *Board) Watch(w *Watcher, accounts []*chat.Account) ([]wire.Presence, bool) {
	b.telling.Lock()
	defer b.telling.Unlock()
	now := time.Now()
	b.mu.Lock()
	all := len(w.until)
	for _, a := range accounts {
		if _, ok := w.until[a.User]; !ok {
			all++
		}
	}
	if all > MaxWatched {
		b.mu.Unlock()
		return nil, false
	}
	var tell []telling
	list := make([]wire.Presence, len(accounts))
	for i, a := range accounts {
		p := b.person(a.User)
		if len(p.sessions) == 0 && !now.Before(p.graceEnd) {
			p.status, p.seen = a.Status, later(p.seen, a.Seen)
		}
		p.hideSeen = a.HideSeen
		// Those who watch already are to know what the new one is shown.
		tell = append(tell, b.changed(a.User, p, now)...)
		w.until[a.User] = now.Add(Lease)
		if p.watchers == nil {
			p.watchers = make(map[*Watcher]struct{})
		}
		p.watchers[w] = struct{}{}
		list[i] = p.show(a.User, now)
		b.changed(a.User, p, now) // of the first one there is nothing told yet
	}
	b.mu.Unlock()
	for _, t := range tell {
		t.watcher.sink.Notify("presence", t.params)
	}
	return list, true
}

func later(x, y time.Time) time.Time {
	if y.After(x) {
		return y
	}
	return x
}

// Unwatch watches users no more.
func (b *Board) Unwatch(w *Watcher, users []chat.UserID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, u := range users {
		b.unwatch(w, u)
	}
}

// WatchersOf answers the users who watch a user, each once.
func (b *Board) WatchersOf(user chat.UserID) []chat.UserID {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.users[user]
	if p == nil {
		return nil
	}
	var list []chat.UserID
	for w := range p.watchers {
		list = append(list, w.user)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// Tell tells the others who watch a user something of it.
func (b *Board) Tell(user chat.UserID, method string, params []byte) {
	var sinks []Sink
	b.mu.Lock()
	if p := b.users[user]; p != nil {
		for w := range p.watchers {
			if w.user != user {
				sinks = append(sinks, w.sink)
			}
		}
	}
	b.mu.Unlock()
	for _, s := range sinks {
		s.Notify(method, params)
	}
}

// Part ends that one user watches another, in all its sessions: what they are told last is
// what is shown to those who may not see it.
func (b *Board) Part(watcher, user chat.UserID) {
	b.telling.Lock()
	defer b.telling.Unlock()
	var sinks []Sink
	b.mu.Lock()
	if p := b.users[user]; p != nil {
		for w := range p.watchers {
			if w.user == watcher {
				b.unwatch(w, user)
				sinks = append(sinks, w.sink)
			}
		}
	}
	b.mu.Unlock()
	if len(sinks) == 0 {
		return
	}
	params, err := json.Marshal(Hidden(user))
	if err != nil {
		panic(err) // strings always encode
	}
	for _, s := range sinks {
		s.Notify("presence", params)
	}
}

// End ends a watcher: it is told nothing more but for what is being told.
func (b *Board) End(w *Watcher) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for u := range w.until {
		b.unwatch(w, u)
	}
}

func (b *Board) unwatch(w *Watcher, user chat.UserID) {
	delete(w.until, user)
	if p := b.users[user]; p != nil {
		delete(p.watchers, w)
		b.dirty[user] = true // nobody may be left to keep it for
	}
}

// Run tells changes until ctx ends.
func (b *Board) Run(ctx context.Context) {
	tick := time.NewTicker(tellEvery)
	defer tick.Stop()
	swept := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := time.Now()
		if now.Sub(swept) >= sweepEvery {
			b.sweep(now)
			swept = now
		}
		b.tellChanges(now)
	}
}

// telling is a notice on its way.
type telling struct {
	watcher *Watcher
	params  []byte
}

// tellChanges tells the watchers what they do not know yet.
func (b *Board) tellChanges(now time.Time) {
	b.telling.Lock()
	defer b.telling.Unlock()
	b.mu.Lock()
	var tell []telling
	for user := range b.dirty {
		p := b.users[user]
		if p == nil {
			delete(b.dirty, user)
			continue
		}
		tell = append(tell, b.changed(user, p, now)...)
		if len(p.sessions) == 0 && now.Before(p.graceEnd) {
			continue // it is looked at again
		}
		delete(b.dirty, user)
		if len(p.sessions)+len(p.watchers) == 0 {
			delete(b.users, user)
		}
	}
	b.mu.Unlock()
	for _, t := range tell {
		t.watcher.sink.Notify("presence", t.params)
	}
}

// changed answers whom to tell of a user, and notes that it is told. Under b.mu and b.telling.
func (b *Board) changed(user chat.UserID, p *person, now time.Time) []telling {
	if len(p.watchers) == 0 {
		p.told = ""
		return nil
	}
	params, err := json.Marshal(p.show(user, now))
	if err != nil {
		panic(err) // strings always encode
	}
	if p.told == string(params) {
		return nil
	}
	p.told = string(params)
	var tell []telling
	for w := range p.watchers {
		if w.until[user].After(now) {
			tell = append(tell, telling{w, params})
		}
	}
	return tell
}

// sweep ends the watches whose lease has ended.
func (b *Board) sweep(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for user, p := range b.users {
		for w := range p.watchers {
			if !w.until[user].After(now) {
				b.unwatch(w, user)
			}
		}
	}
}
