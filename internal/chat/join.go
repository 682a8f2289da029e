package chat

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

const (
	// RequestItem is the kind of a conversation's items that ask to be let in, by user.
	RequestItem ItemKind = "request"
	// OwnRequestItem is the kind of a user's items that say what it asked, by conversation.
	OwnRequestItem ItemKind = "group_request"
)

// maxRequests is how many requests wait in a group.
const maxRequests = 1000

// Request asks to be let into a group.
type Request struct {
	User UserID    `json:"-"`
	Text string    `json:"text,omitempty"`
	Time time.Time `json:"time"`
}

func requestKey(id ConversationID, u UserID) ItemKey {
	return ItemKey{ConversationHolder(id), RequestItem, string(u)}
}

// Join takes the caller into a group that is open, or asks the admins of one that takes
// members by approval: then requested is true, the place empty, and the answer comes with
// the caller's own state. Who is in it already is answered with its newest event. Any
// other group is not found, or forbidden to who was in it.
func (s *Service) Join(ctx context.Context, a Actor, gc GroupCall, text string) (place Place, requested bool, err error) {
	if err := checkReason("text", text); err != nil {
		return Place{}, false, err
	}
	waiting, err := s.store.Items(ctx, ItemRange{Holder: ConversationHolder(gc.Conversation), Kind: RequestItem, Limit: maxRequests})
	if err != nil {
		return Place{}, false, readError(err)
	}
	op := &joinOp{service: s, actor: a, call: gc, text: text, full: len(waiting) >= maxRequests}
	cl := newCall(a.User, gc.Key, "groups.join", string(gc.Conversation), text)
	self := MemberKey{gc.Conversation, a.User}
	asked := false // written by the committer, and not to be looked at unless it has answered
	place, err = s.await(ctx, &operation{
		keys: func(k *Keys) {
			k.Calls = append(k.Calls, cl.key)
			k.Conversations = append(k.Conversations, gc.Conversation)
			k.Members = append(k.Members, self)
			k.Items = append(k.Items, banKey(gc.Conversation, a.User), requestKey(gc.Conversation, a.User))
		},
		decide: func(b *batch) (Place, error) {
			asked = false
			if p, found, err := b.recall(cl.key, cl.hash); found {
				return p, err
			}
			c, m := b.rows.Conversations[gc.Conversation], b.member(self)
			if err := op.check(b, c, m); err != nil {
				return Place{}, err
			}
			if joined(m) {
				return Place{Conversation: c.ID, Seq: c.Seq, Time: c.Time}, nil
			}
			if c.details().Settings.Join == JoinApproval && !a.Server {
				asked = true
				b.request(c, a.User, text)
				return Place{}, nil
			}
			b.settle(c.ID, a.User, nil)
			names := b.admitAll(c, []*Member{m})
			e := &Event{Kind: Members, Moved: names, From: a.User, ClientID: gc.ClientID, Content: changeContent{
				Text: fmt.Sprintf("%s joined", a.User), Added: names, Changed: 1, Members: c.Members,
			}.encode()}
			if c.Kind == Channel {
				e.Conversation, e.Seq, e.Time = c.ID, c.Seq, c.Time
			} else {
				b.append(c, e)
			}
			return b.remember(cl.key, cl.hash, e), nil
		},
	})
	if err != nil {
		return Place{}, false, err
	}
	return place, asked, nil
}

type joinOp struct {
	service *Service
	actor   Actor
	call    GroupCall
	text    string
	full    bool // as many requests wait as may

	rated   bool // a decision that is made again takes no second token
	tooFast error
}

// check says whether the caller, whose row is m, may come into c or ask to.
func (o *joinOp) check(b *batch, c *Conversation, m *Member) error {
	if c == nil || !o.service.MaySee(o.actor.User, Group) || (c.Kind == Direct || c.Kind == Thread) && !joined(m) {
		return notFound()
	}
	if !c.Kind.Grouped() {
		return forbidden("this is for groups; rooms are joined with rooms.join")
	}
	if joined(m) {
		return alive(c)
	}
	how := c.details().Settings.Whole().Join
	if c.Dismissed() || b.banned(c.ID, o.actor.User) || how == JoinInvite && !o.actor.Server {
		if len(m.Spans) > 0 {
			return forbidden("you were in this group; you come back when you are added")
		}
		return notFound()
	}
	if err := o.rate(b); err != nil {
		return err
	}
	if how == JoinApproval && o.full && b.item(requestKey(c.ID, o.actor.User)) == nil {
		return &Error{Code: CodeRate, Message: fmt.Sprintf("%d requests wait in this group already", maxRequests), RetryAfter: time.Hour}
	}
	return o.service.room(c, 1)
}

func (o *joinOp) rate(b *batch) error {
	if !o.actor.Limited || o.rated {
		return o.tooFast
	}
	o.rated = true
	perHour := o.service.cfg.Limits.JoinsHourly
	if wait, ok := o.service.rates.take("j"+string(o.actor.User), float64(perHour)/3600, perHour, b.now); !ok {
		o.tooFast = tooFast("you join too many groups", wait)
	}
	return o.tooFast
}

// request notes that a user wants to come into c, and tells those who can let it in.
func (b *batch) request(c *Conversation, u UserID, text string) {
	req := Request{Text: text, Time: b.now}
	if old := b.item(requestKey(c.ID, u)); old != nil {
		var before Request
		if json.Unmarshal(old.Body, &before) == nil && before.Text == text {
			return // as it was
		}
	}
	b.putItem(&Item{ItemKey: requestKey(c.ID, u), Body: mustJSON(req)})
	b.putOwn(u, OwnRequestItem, string(c.ID), ownRequest("waiting", b.now))
	for _, staff := range c.Staff() {
		b.notifyUser(staff.User, "group.request", struct {
			Conversation ConversationID `json:"conversation"`
			User         UserID         `json:"user"`
			Text         string         `json:"text,omitempty"`
			Time         string         `json:"time"`
		}{c.ID, u, text, timeText(b.now)})
	}
}

// ownRequest is what a user's own state says of a request: waiting or rejected, and since when.
func ownRequest(state string, at time.Time) json.RawMessage {
	return mustJSON(struct {
		State string `json:"state"`
		Time  string `json:"time"`
	}{state, timeText(at)})
}

// settle ends a user's request, if there is one, and leaves body of it to the user. The
// request must be among the batch's keys.
func (b *batch) settle(id ConversationID, u UserID, body json.RawMessage) bool {
	if b.item(requestKey(id, u)) == nil {
		return false
	}
	b.forgetItem(requestKey(id, u))
	b.putOwn(u, OwnRequestItem, string(id), body)
	return true
}

// Requests answers who waits to be let into a group, by user, and whether there are more.
// Its owner and admins may ask.
func (s *Service) Requests(ctx context.Context, a Actor, id ConversationID, after UserID, limit int) ([]Request, bool, error) {
	items, more, err := s.managed(ctx, a, id, RequestItem, after, limit)
	list := make([]Request, 0, len(items))
	for _, it := range items {
		r := Request{User: UserID(it.Key)}
		if err := json.Unmarshal(it.Body, &r); err != nil {
			return nil, false, readError(fmt.Errorf("a request: %w", err))
		}
		list = append(list, r)
	}
	return list, more, err
}

// Approve lets those of the users in who have asked; its owner and admins may.
func (s *Service) Approve(ctx context.Context, a Actor, ch ChangeMembers) (Place, error) {
	return s.changeMembers(ctx, a, "groups.approve", ch, nil, func(b *batch, c *Conversation, self *Member, users []UserID) (*Event, error) {
		if err := may(a, c, self, RightManage); err != nil {
			return nil, err
		}
		var added []*Member
		for _, u := range users {
			m := b.member(MemberKey{c.ID, u})
			if b.item(requestKey(c.ID, u)) != nil && !joined(m) && !b.banned(c.ID, u) {
				added = append(added, m)
			}
		}
		if len(added) == 0 {
			return nil, nil
		}
		if err := s.room(c, len(added)); err != nil {
			return nil, err
		}
		for _, m := range added {
			b.settle(c.ID, m.User, nil)
		}
		names := b.admitAll(c, added)
		return &Event{Kind: Members, Moved: names, Content: changeContent{
			Text:  fmt.Sprintf("%s let %s in", a.User, listed(names)),
			Added: names[:min(maxNamed, len(names))], Changed: len(names), Members: c.Members,
		}.encode()}, nil
	})
}

// Reject turns requests down; the group's owner and admins may. Nothing is logged: those who
// asked are told by their own state.
func (s *Service) Reject(ctx context.Context, a Actor, id ConversationID, users []UserID) error {
	ch := ChangeMembers{GroupCall: GroupCall{Conversation: id}, Users: users}
	_, err := s.changeMembers(ctx, a, "groups.reject", ch, nil, func(b *batch, c *Conversation, self *Member, users []UserID) (*Event, error) {
		if err := may(a, c, self, RightManage); err != nil {
			return nil, err
		}
		for _, u := range users {
			b.settle(c.ID, u, ownRequest("rejected", b.now))
		}
		return nil, nil
	})
	return err
}
