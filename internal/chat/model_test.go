package chat_test

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/linnet-im/linnet/internal/chat"
)

// model is what the domain is to do, said a second time and in the simplest way: every
// event remembers who sees it, and nothing is counted but by looking at all of them. Its
// methods answer the code that a call is to have ("" for none) and, of a call that logs
// something or answers a place, the seq.
type model struct {
	now   time.Time
	convs []*mconv
	own   map[chat.UserID]map[string]string // a user's own state, by KIND/KEY
	pins  map[chat.UserID][]*mconv
	shy   map[chat.UserID]bool // only friends begin a conversation with it
	dues  []*mdue
}

// mconv is a conversation. Its name stands for its id, which is random and not the same in two stores.
type mconv struct {
	name      string
	kind      chat.ConversationKind
	pair      [2]chat.UserID
	parent    *mconv // of a thread
	root      int
	shared    bool
	join      chat.Join
	gone      bool // who leaves reads nothing any more
	invite    chat.Who
	pin       chat.Who
	edit      chat.Who
	muted     time.Time // all of them, until then
	dismissed bool
	log       []*mevent
	rows      map[chat.UserID]*mrow
	bans      map[chat.UserID]time.Time
	requests  map[chat.UserID]bool
	pins      []int
	stream    *mstream
	time      time.Time
}

type mrow struct {
	in, was, back    bool
	role             chat.Role
	since, read      int
	muted            time.Time
	hidden           map[int]bool
	archived, marked bool
}

type mevent struct {
	kind     chat.EventKind
	from     chat.UserID
	text     string
	sees     map[chat.UserID]bool // who was there; nil: everybody
	only     []chat.UserID
	erased   bool
	targets  bool
	changed  int
	rev      int // of its values; 0: none
	byAll    bool
	totals   []chat.Reaction
	reacted  map[string]map[chat.UserID]bool
	waiting  map[string]int // reactions that are gathered; nil: none
	thread   *mconv
	burn     time.Duration
	opened   bool
	stream   string
	clientID string
}

func (e *mevent) message() bool { return e.kind == chat.Message }

// mstream is the newest streamed message of a conversation.
type mstream struct {
	seq     int
	user    chat.UserID
	text    string // what was taken
	durable string
	loaded  bool // the server that runs now knows it
	due     *mdue
}

// mdue is something that is done at a time.
type mdue struct {
	at time.Time
	do func()
}

func newModel(now time.Time) *model {
	m := &model{
		now: now, own: make(map[chat.UserID]map[string]string),
		pins: make(map[chat.UserID][]*mconv), shy: make(map[chat.UserID]bool),
	}
	m.add(&mconv{name: string(chat.Lobby), kind: chat.Room, time: now})
	return m
}

func (m *model) add(c *mconv) *mconv {
	c.rows, c.bans, c.requests = make(map[chat.UserID]*mrow), make(map[chat.UserID]time.Time), make(map[chat.UserID]bool)
	m.convs = append(m.convs, c)
	return c
}

func (m *model) direct(a, b chat.UserID) *mconv {
	id := string(chat.DirectID(a, b))
	for _, c := range m.convs {
		if c.name == id {
			return c
		}
	}
	return nil
}

func (m *model) set(u chat.UserID, key, value string) {
	if m.own[u] == nil {
		m.own[u] = make(map[string]string)
	}
	m.own[u][key] = value
}

func (m *model) has(u chat.UserID, key string) bool { return m.own[u][key] != "" }

func (m *model) later(at time.Time, do func()) *mdue {
	due := &mdue{at, do}
	m.dues = append(m.dues, due)
	return due
}

func (m *model) drop(due *mdue) {
	m.dues = slices.DeleteFunc(m.dues, func(d *mdue) bool { return d == due })
}

func (c *mconv) home() *mconv {
	if c.parent != nil {
		return c.parent
	}
	return c
}

func (c *mconv) head() int { return len(c.log) }

func (c *mconv) in(u chat.UserID) bool { return c.rows[u] != nil && c.rows[u].in }

func (c *mconv) role(u chat.UserID) chat.Role {
	if c.rows[u] == nil {
		return chat.NoRole
	}
	return c.rows[u].role
}

func rank(r chat.Role) int {
	return slices.Index([]chat.Role{chat.NoRole, chat.Plain, chat.Admin, chat.Owner}, r)
}

func (c *mconv) members() (n int) {
	for u := range c.rows {
		if c.in(u) {
			n++
		}
	}
	return n
}

// append logs an event; change, nil for none, is what it does to the membership: it is
// seen by those who are there before it or after it.
func (m *model) append(c *mconv, e *mevent, change func()) int {
	note := func() {
		for u := range c.rows {
			if c.in(u) {
				e.sees[u] = true
			}
		}
	}
	if c.kind == chat.Group || c.kind == chat.Direct {
		e.sees = make(map[chat.UserID]bool)
		note()
	}
	c.log = append(c.log, e)
	if change != nil {
		change()
		note()
	}
	c.time = m.now
	return c.head()
}

// enter takes a user in with the newest event.
func (c *mconv) enter(u chat.UserID, role chat.Role) {
	r := c.rows[u]
	if r == nil {
		r = &mrow{hidden: make(map[int]bool)}
		c.rows[u] = r
	}
	if c.shared && !r.was {
		for _, e := range c.log {
			e.sees[u] = true
		}
	}
	r.back = r.was
	r.in, r.was, r.role, r.since, r.read = true, true, role, c.head(), c.head()-1
}

// exit takes a user out with the newest event.
func (c *mconv) exit(u chat.UserID) {
	c.rows[u].in, c.rows[u].role = false, chat.NoRole
	if c.gone {
		for _, e := range c.log[:c.head()-1] {
			delete(e.sees, u)
		}
	}
}

// reads says whether a user may see the conversation at all.
func (c *mconv) reads(u chat.UserID) bool {
	switch c.kind {
	case chat.Room:
		return true
	case chat.Thread:
		return c.standing(u)
	}
	return c.rows[u] != nil
}

// standing says whether a user may do anything in it: in a thread, who is in the parent and
// was when its message was said.
func (c *mconv) standing(u chat.UserID) bool {
	h := c.home()
	if c.parent != nil && h.kind != chat.Room && !h.log[c.root-1].sees[u] {
		return false
	}
	return h.kind == chat.Room || h.in(u)
}

// covers says whether the event is within what the user may read.
func (c *mconv) covers(u chat.UserID, seq int) bool {
	e := c.log[seq-1]
	return (e.sees == nil || e.sees[u]) && (c.kind == chat.Room || c.rows[u] == nil || !c.rows[u].hidden[seq])
}

// shows says whether the user is shown what it holds.
func (c *mconv) shows(u chat.UserID, seq int) bool {
	e := c.log[seq-1]
	return c.covers(u, seq) && !e.erased && (e.only == nil || slices.Contains(e.only, u))
}

// top is the newest event from when the user was there.
func (c *mconv) top(u chat.UserID) int {
	for seq := c.head(); seq > 0; seq-- {
		if e := c.log[seq-1]; e.sees == nil || e.sees[u] {
			return seq
		}
	}
	return 0
}

// last is what stands for the conversation: near the newest that is not hidden.
func (c *mconv) last(u chat.UserID) int {
	seq := c.top(u)
	for seq > 0 && !c.covers(u, seq) {
		seq--
	}
	for lowest := max(0, seq-20); seq > lowest; seq-- {
		if c.shows(u, seq) && !c.log[seq-1].targets {
			return seq
		}
	}
	return 0
}

func (c *mconv) unread(u chat.UserID) (n int64) {
	if !c.in(u) || c.kind == chat.Room {
		return 0
	}
	for seq := c.rows[u].read + 1; seq <= c.head(); seq++ {
		e := c.log[seq-1]
		if e.message() && e.from != u && c.covers(u, seq) && (e.only == nil || slices.Contains(e.only, u)) {
			n++
		}
	}
	return n
}

// may says whether a user has a right in a conversation that is not a thread; who is who the
// group gives it to.
func (c *mconv) may(u chat.UserID, who chat.Who) chat.Code {
	need := chat.Admin
	switch {
	case c.dismissed:
		return chat.CodeForbidden
	case who == "owner":
		need = chat.Owner
	case who == chat.Everybody && c.kind != chat.Room:
		need = chat.Plain
	}
	if rank(c.role(u)) < rank(need) {
		return chat.CodeForbidden
	}
	return ""
}

// group says whether a user may do something in a group.
func (c *mconv) group(u chat.UserID, who chat.Who) chat.Code {
	switch {
	case !c.standing(u):
		return chat.CodeNotFound
	case c.kind != chat.Group:
		return chat.CodeForbidden
	}
	return c.may(u, who)
}

func (m *model) speak(u chat.UserID, c *mconv) chat.Code {
	h := c.home()
	switch {
	case h.dismissed:
		return chat.CodeForbidden
	case h.kind == chat.Direct && h.pair[0] != h.pair[1] && m.blocks(h.other(u), u):
		return chat.CodeNotAccepted
	case h.rows[u] == nil || rank(h.role(u)) >= rank(chat.Admin):
		return ""
	case m.now.Before(h.rows[u].muted) || m.now.Before(h.muted):
		return chat.CodeMuted
	}
	return ""
}

func (c *mconv) other(u chat.UserID) chat.UserID {
	if c.pair[0] == u {
		return c.pair[1]
	}
	return c.pair[0]
}

func (m *model) blocks(a, b chat.UserID) bool { return m.has(a, "block/"+string(b)) }

func (m *model) friends(a, b chat.UserID) bool { return m.has(a, "friend/"+string(b)) }

// msend is a message.
type msend struct {
	to       chat.UserID // or in
	in       *mconv
	text     string
	clientID string
	only     []chat.UserID
	replyTo  int
	burn     time.Duration
	rev      int
	byAll    bool
	keep     bool
	stream   string
}

// mayWrite answers the conversation, nil for one that is to begin.
func (m *model) mayWrite(u chat.UserID, s msend) (*mconv, chat.Code) {
	c := s.in
	if c == nil {
		c = m.direct(u, s.to)
	}
	switch {
	case c == nil && u != s.to && (m.blocks(s.to, u) || m.shy[s.to] && !m.friends(s.to, u)):
		return nil, chat.CodeNotAccepted
	case c != nil && !c.standing(u):
		return nil, chat.CodeNotFound
	case s.burn != 0 && c != nil && c.kind != chat.Direct:
		return nil, chat.CodeParam
	}
	if s.only != nil {
		if c == nil || c.kind != chat.Group {
			return nil, chat.CodeParam
		}
		for _, o := range s.only {
			if !c.in(o) {
				return nil, chat.CodeParam
			}
		}
	}
	if s.replyTo != 0 && (c == nil || m.message(u, c, s.replyTo) == nil) {
		return nil, chat.CodeParam
	}
	if c == nil {
		return nil, ""
	}
	return c, m.speak(u, c)
}

func (m *model) send(u chat.UserID, s msend) (c *mconv, code chat.Code, seq int) {
	c, code = m.mayWrite(u, s)
	if code != "" {
		return nil, code, 0
	}
	e := &mevent{
		kind: chat.Message, from: u, text: s.text, clientID: s.clientID, burn: s.burn, rev: s.rev, byAll: s.byAll, stream: s.stream,
		reacted: make(map[string]map[chat.UserID]bool),
	}
	if s.only != nil {
		e.only = slices.Compact(slices.Sorted(slices.Values(append(slices.Clone(s.only), u))))
	}
	if c == nil {
		pair := [2]chat.UserID{min(u, s.to), max(u, s.to)}
		c = m.add(&mconv{name: string(chat.DirectID(u, s.to)), kind: chat.Direct, pair: pair, pin: chat.Everybody})
		seq = m.append(c, e, func() {
			for _, one := range pair {
				if !c.in(one) {
					c.enter(one, chat.Plain)
				}
			}
		})
	} else {
		if c.kind == chat.Thread {
			c.follow(u)
		}
		seq = m.append(c, e, nil)
	}
	if r := c.rows[u]; c.kind != chat.Room && c.in(u) && !s.keep {
		r.read, r.marked = seq, false
		delete(m.own[u], "draft/"+c.name)
	}
	return c, "", seq
}

func (c *mconv) follow(u chat.UserID) {
	if c.in(u) {
		return
	}
	if c.rows[u] == nil {
		c.rows[u] = &mrow{hidden: make(map[int]bool)}
	}
	c.rows[u].in, c.rows[u].role, c.rows[u].read = true, chat.Plain, c.head()
}

// message is one that the user may do something with.
func (m *model) message(u chat.UserID, c *mconv, seq int) *mevent {
	if seq < 1 || seq > c.head() || !c.log[seq-1].message() || !c.shows(u, seq) {
		return nil
	}
	return c.log[seq-1]
}

// target is a message that the user may change.
func (m *model) target(u chat.UserID, c *mconv, seq int) (*mevent, chat.Code) {
	switch {
	case !c.standing(u):
		return nil, chat.CodeNotFound
	case c.home().dismissed:
		return nil, chat.CodeForbidden
	}
	e := m.message(u, c, seq)
	if e == nil {
		return nil, chat.CodeNotFound
	}
	return e, ""
}

// tell logs that a message was changed.
func (m *model) tell(c *mconv, e *mevent, kind chat.EventKind, from chat.UserID, revised bool) int {
	seq := m.append(c, &mevent{kind: kind, from: from, only: e.only, targets: true}, nil)
	if revised {
		e.changed = seq
	}
	return seq
}

func (m *model) edit(u chat.UserID, c *mconv, seq int, text string) (chat.Code, int) {
	e, code := m.target(u, c, seq)
	switch {
	case code != "":
		return code, 0
	case e.from != u || e.stream == "open":
		return chat.CodeForbidden, 0
	}
	if code := m.speak(u, c); code != "" {
		return code, 0
	}
	e.text = text
	return "", m.tell(c, e, chat.Edited, u, true)
}

func (m *model) erase(c *mconv, e *mevent) {
	seq := 1 + slices.Index(c.log, e)
	e.erased, e.text, e.totals, e.waiting, e.rev, e.stream = true, "", nil, nil, 0, ""
	c.pins = slices.DeleteFunc(c.pins, func(p int) bool { return p == seq })
	if c.stream != nil && c.stream.seq == seq {
		m.drop(c.stream.due)
		c.stream = nil
	}
}

func (m *model) recall(u chat.UserID, c *mconv, seq int) (chat.Code, int) {
	e, code := m.target(u, c, seq)
	switch {
	case code != "":
		return code, 0
	case e.from != u && c.home().may(u, chat.Admins) != "":
		return chat.CodeForbidden, 0
	}
	m.erase(c, e)
	return "", m.tell(c, e, chat.Recalled, u, true)
}

func (m *model) purge(u chat.UserID, c *mconv, from, to int) (chat.Code, int) {
	if !c.standing(u) {
		return chat.CodeNotFound, 0
	}
	if code := c.home().may(u, chat.Admins); code != "" {
		return code, 0
	}
	var gone []*mevent
	for seq := from; seq <= to; seq++ {
		if e := m.message(u, c, seq); e != nil {
			gone = append(gone, e)
			m.erase(c, e)
		}
	}
	if gone == nil {
		return "", c.head()
	}
	seq := m.append(c, &mevent{kind: chat.Purged, from: u, targets: true}, nil)
	for _, e := range gone {
		e.changed = seq
	}
	return "", seq
}

func (m *model) pinMessage(u chat.UserID, c *mconv, seq int, on bool) (chat.Code, int) {
	e, code := m.target(u, c, seq)
	if code == "" {
		code = c.home().may(u, c.home().pin)
	}
	if code == "" {
		code = m.speak(u, c)
	}
	if code == "" && e.only != nil {
		code = chat.CodeForbidden
	}
	switch {
	case code != "":
		return code, 0
	case slices.Contains(c.pins, seq) == on:
		return "", c.head()
	case on:
		c.pins = append(c.pins, seq)
	default:
		c.pins = slices.DeleteFunc(c.pins, func(p int) bool { return p == seq })
	}
	return "", m.tell(c, e, chat.Pinned, u, false)
}

func (m *model) setValues(u chat.UserID, c *mconv, seq, ifRev int) (chat.Code, int) {
	e, code := m.target(u, c, seq)
	switch {
	case code != "":
		return code, 0
	case e.rev == 0 || !e.byAll && e.from != u:
		return chat.CodeForbidden, 0
	}
	if code := m.speak(u, c); code != "" {
		return code, 0
	}
	if ifRev != e.rev {
		return chat.CodeStale, 0
	}
	e.rev++
	return "", m.tell(c, e, chat.ValuesSet, u, true)
}

const gathered = 2 * time.Second // how long reactions in rooms are

func (m *model) react(u chat.UserID, c *mconv, seq int, emoji string, on bool) chat.Code {
	e, code := m.target(u, c, seq)
	switch {
	case code != "":
		return code
	case e.reacted[emoji][u] == on:
		return ""
	}
	if code := m.speak(u, c); code != "" {
		return code
	}
	if e.reacted[emoji] == nil {
		e.reacted[emoji] = make(map[chat.UserID]bool)
	}
	e.reacted[emoji][u] = on
	if e.waiting == nil {
		e.waiting = make(map[string]int)
		if c.home().kind == chat.Room {
			m.later(m.now.Add(gathered), func() { m.reactions(c, e, "") })
		}
	}
	e.waiting[emoji] += map[bool]int{true: 1, false: -1}[on]
	if c.home().kind != chat.Room {
		m.reactions(c, e, u)
	}
	return ""
}

func (m *model) reactions(c *mconv, e *mevent, from chat.UserID) {
	now := slices.Clone(e.totals)
	for _, emoji := range slices.Sorted(maps.Keys(e.waiting)) {
		i := slices.IndexFunc(now, func(r chat.Reaction) bool { return r.Emoji == emoji })
		if i < 0 {
			i, now = len(now), append(now, chat.Reaction{Emoji: emoji})
		}
		now[i].Count += e.waiting[emoji]
	}
	e.waiting = nil
	now = slices.DeleteFunc(now, func(r chat.Reaction) bool { return r.Count == 0 })
	if !e.erased && !slices.Equal(now, e.totals) {
		e.totals = now
		m.tell(c, e, chat.Reacted, from, true)
	}
}

func (m *model) open(u chat.UserID, c *mconv, seq int) (chat.Code, int) {
	e, code := m.target(u, c, seq)
	switch {
	case code != "":
		return code, 0
	case e.burn == 0 || e.from == u:
		return chat.CodeForbidden, 0
	case e.opened:
		return "", c.head()
	}
	e.opened = true
	m.later(m.now.Add(e.burn), func() {
		if !e.erased {
			m.erase(c, e)
			m.tell(c, e, chat.Burned, e.from, true)
		}
	})
	return "", m.tell(c, e, chat.Opened, u, true)
}

// kept says whether a user keeps something of its own of a conversation.
func (m *model) kept(u chat.UserID, c *mconv, follows bool) chat.Code {
	switch {
	case c.kind == chat.Room:
		return chat.CodeForbidden
	case c.kind == chat.Thread && !c.standing(u):
		return chat.CodeNotFound
	case c.kind == chat.Thread && (c.rows[u] == nil || follows && !c.in(u)):
		return chat.CodeForbidden
	case c.rows[u] == nil:
		return chat.CodeNotFound
	}
	return ""
}

func (m *model) hide(u chat.UserID, c *mconv, from, to int) chat.Code {
	if code := m.kept(u, c, false); code != "" {
		return code
	}
	for seq := from; seq <= min(to, c.head()); seq++ {
		c.rows[u].hidden[seq] = true
	}
	return ""
}

func (m *model) markRead(u chat.UserID, c *mconv, seq int) chat.Code {
	code := m.kept(u, c, true)
	if code == "" && c.in(u) {
		r := c.rows[u]
		r.read, r.marked = max(r.read, min(seq, c.head())), false
	}
	return code
}

func (m *model) beginThread(u chat.UserID, parent *mconv, seq int) (t *mconv, code chat.Code, told int) {
	if parent.kind == chat.Thread {
		return nil, chat.CodeForbidden, 0
	}
	e, code := m.target(u, parent, seq)
	if code == "" && e.only != nil {
		code = chat.CodeForbidden
	}
	if code != "" {
		return nil, code, 0
	}
	if e.thread != nil {
		e.thread.follow(u)
		return e.thread, "", 0
	}
	if code := m.speak(u, parent); code != "" {
		return nil, code, 0
	}
	t = m.add(&mconv{name: fmt.Sprintf("t_%d_%s", seq, parent.name), kind: chat.Thread, parent: parent, root: seq, time: m.now})
	t.follow(u)
	if parent.in(e.from) {
		t.follow(e.from)
	}
	e.thread = t
	return t, "", m.append(parent, &mevent{kind: chat.Threaded, from: u, targets: true}, func() { e.changed = parent.head() })
}

func (m *model) setFollow(u chat.UserID, c *mconv, on bool) chat.Code {
	switch {
	case !c.standing(u):
		return chat.CodeNotFound
	case c.kind != chat.Thread:
		return chat.CodeForbidden
	case on:
		c.follow(u)
	case c.in(u):
		c.rows[u].in, c.rows[u].role = false, chat.NoRole
	}
	return ""
}

// move logs a change of a group's members.
func (m *model) move(c *mconv, from chat.UserID, change func()) int {
	return m.append(c, &mevent{kind: chat.Members, from: from}, change)
}

func (m *model) settle(c *mconv, u chat.UserID) {
	if c.requests[u] {
		delete(c.requests, u)
		delete(m.own[u], "group_request/"+c.name)
	}
}

func (m *model) banned(c *mconv, u chat.UserID) bool { return m.now.Before(c.bans[u]) }

func (m *model) addMembers(u chat.UserID, c *mconv, users []chat.UserID) (chat.Code, int) {
	if code := c.group(u, c.invite); code != "" {
		return code, 0
	}
	users = slices.DeleteFunc(slices.Clone(users), c.in)
	switch {
	case slices.ContainsFunc(users, func(o chat.UserID) bool { return m.banned(c, o) }):
		return chat.CodeForbidden, 0
	case len(users) == 0:
		return "", c.head()
	}
	return "", m.admit(u, c, users)
}

func (m *model) admit(u chat.UserID, c *mconv, users []chat.UserID) int {
	return m.move(c, u, func() {
		for _, o := range users {
			m.settle(c, o)
			c.enter(o, chat.Plain)
		}
	})
}

// below says whether u may take the users out.
func (c *mconv) below(u chat.UserID, users []chat.UserID) chat.Code {
	if code := c.group(u, chat.Admins); code != "" {
		return code
	}
	if slices.Contains(users, u) {
		return chat.CodeParam
	}
	for _, o := range users {
		if c.in(o) && rank(c.role(o)) >= rank(c.role(u)) {
			return chat.CodeForbidden
		}
	}
	return ""
}

func (m *model) remove(u chat.UserID, c *mconv, users []chat.UserID, ban time.Time) (chat.Code, int) {
	if code := c.below(u, users); code != "" {
		return code, 0
	}
	out := slices.DeleteFunc(slices.Clone(users), func(o chat.UserID) bool { return !c.in(o) })
	if len(out) == 0 && ban.IsZero() {
		return "", c.head()
	}
	return "", m.move(c, u, func() {
		for _, o := range users {
			if !ban.IsZero() {
				c.bans[o] = ban
				m.settle(c, o)
			}
		}
		for _, o := range out {
			c.exit(o)
		}
	})
}

func (m *model) unban(u chat.UserID, c *mconv, other chat.UserID) (chat.Code, int) {
	if code := c.group(u, chat.Admins); code != "" {
		return code, 0
	}
	if _, had := c.bans[other]; !had {
		return "", c.head()
	}
	delete(c.bans, other)
	return "", m.updated(u, c)
}

func (m *model) updated(u chat.UserID, c *mconv) int {
	return m.append(c, &mevent{kind: chat.Updated, from: u}, nil)
}

func (m *model) leave(u chat.UserID, c *mconv) (chat.Code, int) {
	if code := c.group(u, chat.Everybody); code != "" {
		return code, 0
	}
	return "", m.move(c, u, func() {
		owned := c.role(u) == chat.Owner
		c.exit(u)
		if !owned {
			return
		}
		var heir chat.UserID
		for o, r := range c.rows {
			if r.in && (heir == "" || cmp.Or(cmp.Compare(r.since, c.rows[heir].since), cmp.Compare(o, heir)) < 0) {
				heir = o
			}
		}
		if heir != "" {
			c.rows[heir].role = chat.Owner
		}
	})
}

// joinGroup answers seq 0 for who has only asked.
func (m *model) joinGroup(u chat.UserID, c *mconv) (chat.Code, int) {
	r := c.rows[u]
	switch {
	case (c.kind == chat.Direct || c.kind == chat.Thread) && !c.in(u):
		return chat.CodeNotFound, 0
	case c.kind != chat.Group, c.in(u) && c.dismissed:
		return chat.CodeForbidden, 0
	case c.in(u):
		return "", c.head()
	case c.dismissed || m.banned(c, u) || c.join == chat.JoinInvite:
		if r != nil {
			return chat.CodeForbidden, 0
		}
		return chat.CodeNotFound, 0
	case c.join == chat.JoinApproval:
		c.requests[u] = true
		m.set(u, "group_request/"+c.name, "waiting")
		return "", 0
	}
	return "", m.admit(u, c, []chat.UserID{u})
}

func (m *model) approve(u chat.UserID, c *mconv, users []chat.UserID) (chat.Code, int) {
	if code := c.group(u, chat.Admins); code != "" {
		return code, 0
	}
	users = slices.DeleteFunc(slices.Clone(users), func(o chat.UserID) bool {
		return !c.requests[o] || c.in(o) || m.banned(c, o)
	})
	if len(users) == 0 {
		return "", c.head()
	}
	return "", m.admit(u, c, users)
}

func (m *model) reject(u chat.UserID, c *mconv, other chat.UserID) chat.Code {
	code := c.group(u, chat.Admins)
	if code == "" && c.requests[other] {
		m.settle(c, other)
		m.set(other, "group_request/"+c.name, "rejected")
	}
	return code
}

func (m *model) transfer(u chat.UserID, c *mconv, to chat.UserID) (chat.Code, int) {
	switch code := c.group(u, "owner"); {
	case code != "":
		return code, 0
	case !c.in(to):
		return chat.CodeParam, 0
	case to == u:
		return "", c.head()
	}
	c.rows[u].role, c.rows[to].role = chat.Admin, chat.Owner
	return "", m.updated(u, c)
}

func (m *model) setRole(u chat.UserID, c *mconv, other chat.UserID, role chat.Role) (chat.Code, int) {
	switch code := c.group(u, "owner"); {
	case code != "":
		return code, 0
	case !c.in(other), c.role(other) == chat.Owner:
		return chat.CodeParam, 0
	case c.role(other) == role:
		return "", c.head()
	}
	c.rows[other].role = role
	return "", m.updated(u, c)
}

// mute has a zero end for unmute.
func (m *model) mute(u chat.UserID, c *mconv, other chat.UserID, end time.Time) (chat.Code, int) {
	switch code := c.group(u, chat.Admins); {
	case code != "":
		return code, 0
	case c.in(other) && rank(c.role(other)) >= rank(c.role(u)):
		return chat.CodeForbidden, 0
	case !c.in(other) || c.rows[other].muted.Equal(end):
		return "", c.head()
	}
	c.rows[other].muted = end
	return "", m.updated(u, c)
}

func (m *model) muteAll(u chat.UserID, c *mconv, end time.Time) (chat.Code, int) {
	switch code := c.group(u, chat.Admins); {
	case code != "":
		return code, 0
	case end.IsZero() && c.muted.IsZero():
		return "", c.head()
	}
	c.muted = end
	return "", m.updated(u, c)
}

func (m *model) dismiss(u chat.UserID, c *mconv) (chat.Code, int) {
	if code := c.group(u, "owner"); code != "" {
		return code, 0
	}
	c.dismissed = true
	return "", m.append(c, &mevent{kind: chat.Closed, from: u}, nil)
}

func (m *model) block(u, other chat.UserID, on bool) {
	if key := "block/" + string(other); on {
		m.set(u, key, "on")
	} else {
		delete(m.own[u], key)
	}
}

func (m *model) askFriend(u, other chat.UserID) (code chat.Code, friends bool) {
	in, out := "friend_request/"+string(other), "friend_request/"+string(u)
	switch {
	case m.friends(u, other):
		return "", true
	case m.blocks(u, other):
		return chat.CodeForbidden, false
	case m.blocks(other, u):
		return chat.CodeNotAccepted, false
	case m.own[other][out] == "out":
		m.befriend(u, other)
		return "", true
	case m.own[u][in] == "out":
		return "", false
	}
	m.set(u, in, "out")
	m.set(other, out, "in")
	return "", false
}

func (m *model) befriend(u, other chat.UserID) {
	for _, pair := range [][2]chat.UserID{{u, other}, {other, u}} {
		delete(m.own[pair[0]], "friend_request/"+string(pair[1]))
		m.set(pair[0], "friend/"+string(pair[1]), "on")
	}
}

func (m *model) acceptFriend(u, other chat.UserID) chat.Code {
	switch {
	case m.friends(u, other):
		return ""
	case m.own[u]["friend_request/"+string(other)] != "in":
		return chat.CodeNotFound
	}
	m.befriend(u, other)
	return ""
}

func (m *model) removeFriend(u, other chat.UserID) {
	delete(m.own[u], "friend/"+string(other))
	delete(m.own[other], "friend/"+string(u))
}

// schedule has a message sent later.
func (m *model) schedule(u chat.UserID, s msend, at time.Time) chat.Code {
	if _, code := m.mayWrite(u, s); code != "" {
		return code
	}
	key := "schedule/" + s.clientID
	m.set(u, key, "waiting")
	s.keep = true
	m.later(at, func() {
		if m.own[u][key] != "waiting" {
			return
		}
		if _, code, _ := m.send(u, s); code != "" {
			m.set(u, key, string(code))
		} else {
			delete(m.own[u], key)
		}
	})
	return ""
}

const silence = time.Minute // that a stream may have

func (m *model) openStream(u chat.UserID, s msend) (c *mconv, code chat.Code, seq int) {
	s.stream = "open"
	c, code, seq = m.send(u, s)
	if code == "" {
		st := &mstream{seq: seq, user: u, text: s.text, durable: s.text}
		st.due = m.later(m.now.Add(silence), func() { m.endStream(c, st.text, "interrupted") })
		c.stream = st
	}
	return c, code, seq
}

func (m *model) endStream(c *mconv, text, state string) int {
	e := c.log[c.stream.seq-1]
	m.drop(c.stream.due)
	c.stream = nil
	e.text, e.stream = text, state
	return m.tell(c, e, chat.Finished, e.from, true)
}

// mine says whether the stream is one that u may go on with.
func (c *mconv) mine(u chat.UserID) chat.Code {
	st := c.stream
	if st == nil || st.user != u || !st.loaded && (!c.standing(u) || !c.covers(u, st.seq)) {
		return chat.CodeNotFound
	}
	st.loaded = true
	return ""
}

// mayStream says whether who writes a stream may still say something there.
func (m *model) mayStream(c *mconv) chat.Code {
	if !c.standing(c.stream.user) {
		return chat.CodeNotFound
	}
	return m.speak(c.stream.user, c)
}

// flush writes what streams have taken.
func (m *model) flush() {
	for _, c := range m.convs {
		switch st := c.stream; {
		case st == nil || st.text == st.durable:
		case m.mayStream(c) != "":
			m.endStream(c, st.durable, "interrupted")
		default:
			st.durable, c.log[st.seq-1].text, st.due.at = st.text, st.text, m.now.Add(silence)
		}
	}
}

// run does what is due.
func (m *model) run() {
	m.flush()
	for {
		due := m.next()
		if due == nil || due.at.After(m.now) {
			return
		}
		m.drop(due)
		due.do()
	}
}

func (m *model) next() *mdue {
	if len(m.dues) == 0 {
		return nil
	}
	return slices.MinFunc(m.dues, func(x, y *mdue) int { return x.at.Compare(y.at) })
}

func (m *model) restart() {
	m.flush()
	for _, c := range m.convs {
		if c.stream != nil {
			c.stream.loaded = false
		}
	}
}
