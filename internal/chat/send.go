package chat

import (
	"encoding/json"
	"fmt"
	"time"
)

// Send is a message to be sent: to a user or into a conversation.
type Send struct {
	ToUser       UserID
	Conversation ConversationID
	ClientID     string
	Key          [16]byte        // ClientID's bytes
	Once         bool            // false: the link has no client ids, and a repetition is another message
	Content      json.RawMessage // checked by the caller; compact JSON
	Priority     Priority        // in rooms
	Burn         time.Duration   // in direct conversations: how long after it was opened it burns; 0: it does not
	Only         []UserID        // who alone may see it, the sender apart; nil: everybody who sees the conversation
	KeepUnread   bool            // the sender's read position stays
	Values       *Values         // a small map that it carries; nil: none
	ReplyTo      Seq             // the message that this one answers; 0: none
}

// Send commits a message and answers its place. A user's sends into one conversation
// commit in the order of the calls.
func (s *Service) Send(a Actor, m Send, reply Reply) {
	op, err := s.newSend(a, m)
	if err != nil {
		reply.Answer(Place{}, err)
		reply.Flush()
		return
	}
	s.committer.submit(&operation{keys: op.keys, decide: op.decide, reply: reply})
}

func (s *Service) newSend(a Actor, m Send) (*sendOp, error) {
	id := m.Conversation
	if m.ToUser != "" {
		if err := CheckUserID(m.ToUser); err != nil {
			return nil, paramError("to.user", err)
		}
		id = DirectID(a.User, m.ToUser)
	}
	parts := []string{string(id), string(m.Content)}
	op := &sendOp{service: s, actor: a, send: m, id: id, names: mentions(m.Content)}
	op.begins = m.ToUser != "" && !s.begun.has(id)
	if m.Only != nil {
		var err error
		if op.only, err = s.checkOnly(a.User, m.Only); err != nil {
			return nil, err
		}
		for _, u := range op.only {
			parts = append(parts, "only", string(u))
		}
	}
	if m.ReplyTo != 0 {
		parts = append(parts, "reply_to", fmt.Sprint(m.ReplyTo))
	}
	if m.Values != nil {
		if err := newValues(m.Values); err != nil {
			return nil, err
		}
		parts = append(parts, "values", string(mustJSON(m.Values)))
	}
	if m.Priority != NormalPriority {
		parts = append(parts, "priority", string(m.Priority))
	}
	if m.Burn != 0 {
		parts = append(parts, "burn", m.Burn.String())
	}
	op.call = newCall(a.User, m.Key, "messages.send", parts...)
	return op, nil
}

func paramError(param string, err error) error {
	return &Error{Code: CodeParam, Param: param, Message: param + ": " + message(err)}
}

func message(err error) string {
	if own, ok := err.(*Error); ok {
		return own.Message
	}
	return err.Error()
}

type sendOp struct {
	service *Service
	actor   Actor
	send    Send
	id      ConversationID
	call    call
	only    []UserID // Event.Only
	names   mentioned
	stream  bool // the message will grow
	begins  bool // the conversation may not be there yet: what its beginning needs is loaded
	rated   bool // a decision that is made again takes no second token
	tooFast error
}

func (o *sendOp) keys(k *Keys) {
	standKeys(k, o.actor.User, o.id)
	for _, u := range o.only {
		k.Members = append(k.Members, MemberKey{o.id, u})
	}
	o.names.keysBy(k, o.id, o.actor.User)
	if o.send.ReplyTo != 0 {
		k.Events = append(k.Events, EventKey{o.id, o.send.ReplyTo})
	}
	if o.send.Once {
		k.Calls = append(k.Calls, o.call.key)
	}
	if o.begins {
		beginKeys(k, o.actor.User, o.send.ToUser)
	}
}

func (o *sendOp) decide(b *batch) (Place, error) {
	if o.send.Once {
		if p, found, err := b.recall(o.call.key, o.call.hash); found {
			return p, err
		}
	}
	c, err := o.mayWrite(b)
	if err != nil {
		return Place{}, err
	}
	if err := o.rate(b, c); err != nil {
		return Place{}, err
	}
	m := b.rows.Members[MemberKey{o.id, o.actor.User}]
	if c == nil {
		c, m = beginDirect(b, o.actor.User, o.send.ToUser)
	}
	if c.Kind == Thread {
		m = b.follow(c, o.actor.User) // nil: it has too many
		o.service.callInto(b, c, b.rows.Conversations[o.id.home()], o.actor.User, o.names)
	}
	e := &Event{
		Kind: Message, From: o.actor.User, ClientID: o.send.ClientID, ReplyTo: o.send.ReplyTo, Only: o.only,
		Values: o.send.Values, Burn: o.send.Burn, Priority: o.send.Priority, Content: o.send.Content,
	}
	if o.stream {
		e.Stream = streamOpen
	}
	b.append(c, e)
	if o.stream {
		b.putItem(&Item{ItemKey: streamItem(EventKey{c.ID, e.Seq}), Body: mustJSON(e.From), Due: b.now.Add(streamSilence)})
	}
	b.whisper(c, o.actor.User, o.only, e.Seq)
	if c.Kind != Room && joined(m) {
		if e.Countable() {
			m.Sent++
		}
		if !o.send.KeepUnread {
			m.ReadSeq, m.ReadCount, m.ReadSent = c.Seq, c.Count, m.Sent
			if !o.actor.Server {
				b.wrote(m)
			}
		}
		b.putMember(m)
	}
	b.mark(c, e, mentioned{}, o.names)
	if !o.send.Once {
		return Place{Conversation: c.ID, Seq: e.Seq, Time: e.Time}, nil
	}
	return b.remember(o.call.key, o.call.hash, e), nil
}

// mayWrite answers the conversation if the message may be written there, nil for a direct
// one that it begins. The order of checks: whether it is there, rights, mutes.
func (o *sendOp) mayWrite(b *batch) (*Conversation, error) {
	if o.send.ToUser != "" && !o.service.MaySee(o.actor.User, Direct) {
		// Whether there is a conversation already is not told.
		return nil, forbidden("guests speak in open rooms here")
	}
	var c, home *Conversation
	var m *Member
	if begins := o.send.ToUser != "" && b.rows.Conversations[o.id] == nil; begins {
		if !o.actor.Server && !b.mayBegin(o.actor.User, o.send.ToUser) {
			return nil, notAccepted()
		}
	} else {
		var err error
		if c, home, m, err = o.service.standing(b, o.actor, o.id); err != nil {
			return nil, err
		}
		if home.Kind == Direct && !joined(m) {
			return nil, forbidden("only the two of a direct conversation write in it")
		}
		if o.begins && c.Pos > 0 {
			o.service.begun.add(o.id)
		}
	}
	if err := o.checkOnly(b, c); err != nil {
		return nil, err
	}
	if err := o.checkNamed(b, c, home, m); err != nil || c == nil {
		return nil, err
	}
	return c, speak(o.actor, home, m, b.now)
}

// checkNamed says whether the message may name everybody, and the message it answers. c is
// nil for a conversation that it begins.
func (o *sendOp) checkNamed(b *batch, c, home *Conversation, m *Member) error {
	if o.names.all {
		if c != nil {
			if err := may(o.actor, home, m, RightMentionAll); err != nil {
				return err
			}
		}
		if o.only != nil {
			return invalid("content.mentions", "content.mentions: a message for a few does not name everybody")
		}
	}
	if to := o.send.ReplyTo; to != 0 && (c == nil || o.service.message(b, o.actor, c, m, to) == nil) {
		return invalid("reply_to", "reply_to: there is no such message, or it is not for you")
	}
	return nil
}

// checkOnly says whether a message for a few can be for these, in c (nil: there is none yet).
func (o *sendOp) checkOnly(b *batch, c *Conversation) error {
	if o.send.Priority != NormalPriority && (c == nil || c.Kind != Room) {
		return invalid("priority", "priority: in rooms")
	}
	if err := o.checkBurn(c); err != nil {
		return err
	}
	if o.only == nil {
		return nil
	}
	if c == nil || c.Kind != Group {
		return invalid("only", "only: in groups; a direct conversation is for two, and a room for everybody")
	}
	for _, u := range o.only {
		if sender := u == o.actor.User && o.actor.Server; !sender && !joined(b.rows.Members[MemberKey{o.id, u}]) {
			return invalid("only", "only: %s is not in the group", u)
		}
	}
	return nil
}

// rate takes the tokens a send costs, once. c is nil when the send begins it.
func (o *sendOp) rate(b *batch, c *Conversation) error {
	if o.rated {
		return o.tooFast
	}
	if err := o.rateNow(b, c); err == nil && c != nil {
		o.tooFast = o.service.slow(o.actor, b.rows.Conversations[o.id.home()], b.rows.Members[MemberKey{o.id.home(), o.actor.User}], b.now)
	}
	return o.tooFast
}

// rateNow is rate without slow mode, which is asked when a message comes to stand in the log.
func (o *sendOp) rateNow(b *batch, c *Conversation) error {
	if !o.rated && o.actor.Limited {
		o.tooFast = o.limit(b, c)
	}
	o.rated = true
	return o.tooFast
}

func (o *sendOp) limit(b *batch, c *Conversation) error {
	l, r := &o.service.cfg.Limits, &o.service.rates
	if wait, ok := r.take("u"+string(o.actor.User), l.SendsPerSecond, l.SendsBurst, b.now); !ok {
		return tooFast("you send too fast", wait)
	}
	if err := o.admit(c, b.now); err != nil {
		return err
	}
	if c == nil {
		perSec := float64(l.NewDirectsHourly) / 3600
		if wait, ok := r.take("d"+string(o.actor.User), perSec, l.NewDirectsHourly, b.now); !ok {
			return tooFast("you begin too many conversations", wait)
		}
	}
	return nil
}

func tooFast(message string, wait time.Duration) error {
	return &Error{Code: CodeRate, Message: message, RetryAfter: wait.Round(time.Millisecond) + time.Millisecond}
}

// beginDirect makes the direct conversation of a and other, with both in it from its
// first event on, and gives a's row.
func beginDirect(b *batch, a, other UserID) (*Conversation, *Member) {
	c := &Conversation{
		ID: DirectID(a, other), Kind: Direct, Pair: sortedPair(a, other),
		SharedPast: true, Members: 2, Time: b.now,
	}
	b.addConversation(c)
	if a == other {
		c.Members = 1
	} else {
		m := &Member{MemberKey: MemberKey{c.ID, other}}
		admit(m, c, Plain, 1)
		b.putMember(m)
		for _, pair := range [][2]UserID{{a, other}, {other, a}} {
			if b.item(ItemKey{UserHolder(pair[0]), blockKind, string(pair[1])}) != nil {
				b.refuse(pair[0], pair[1], true)
			}
		}
	}
	m := &Member{MemberKey: MemberKey{c.ID, a}}
	admit(m, c, Plain, 1)
	return c, m
}
