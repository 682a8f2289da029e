package chat

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	friendKind  ItemKind = "friend"         // own, of both, by the other one
	requestKind ItemKind = "friend_request" // own, of both, by the other one

	maxFriends         = 5000
	maxRequestsDaily   = 100  // that a user makes
	maxRequestsWaiting = 1000 // for a user's answer
	maxRequestMessage  = 200  // characters
	maxRemark          = 64   // characters
	maxFriendTags      = 20   // of one friend
	maxTag             = 32   // characters

	// requestHolds is how long a friend request waits for an answer.
	requestHolds = 30 * 24 * time.Hour
)

// Friend is one of a user's friends, and what the user keeps of it for itself.
type Friend struct {
	User   UserID
	Since  time.Time
	Remark string // what the user calls it
	Tags   []string
}

type friendBody struct {
	Since  stamp    `json:"since"`
	Remark string   `json:"remark,omitempty"`
	Tags   []string `json:"tags,omitempty"`
}

// The directions of a friend request.
const (
	RequestIn  = "in"
	RequestOut = "out"
)

// FriendRequest is a question to be a friend that has no answer yet.
type FriendRequest struct {
	User      UserID // the other one
	Direction string
	Message   string
	Time      time.Time
	Expires   time.Time
}

type requestBody struct {
	Direction string `json:"direction"`
	Message   string `json:"message,omitempty"`
	Time      stamp  `json:"time"`
	Expires   stamp  `json:"expires"`
}

func friendItem(u, other UserID) ItemKey { return ItemKey{UserHolder(u), friendKind, string(other)} }

func requestItem(u, other UserID) ItemKey { return ItemKey{UserHolder(u), requestKind, string(other)} }

// pending gives a user's request with another one, nil if there is none that holds.
func (b *batch) pending(u, other UserID, direction string) *requestBody {
	it := b.item(requestItem(u, other))
	if it == nil {
		return nil
	}
	body := new(requestBody)
	if err := json.Unmarshal(it.Body, body); err != nil || body.Direction != direction || !b.now.Before(body.Expires.Time) {
		return nil
	}
	return body
}

// friendKeys names what befriend and endRequests look at.
func friendKeys(k *Keys, a, other UserID) {
	for _, pair := range [][2]UserID{{a, other}, {other, a}} {
		k.Items = append(
			k.Items,
			friendItem(pair[0], pair[1]), requestItem(pair[0], pair[1]),
			countKey(pair[0], friendKind), countKey(pair[0], requestKind),
		)
	}
}

// AskFriend is a friend request to be made.
type AskFriend struct {
	Key     [16]byte
	User    UserID
	Message string
}

// RequestFriend asks a user to be a friend, and answers whether they are friends now: they
// are when the other one has asked too. A request that waits already, or was rejected and
// has not expired, stays as it is.
func (s *Service) RequestFriend(ctx context.Context, a Actor, ask AskFriend) (friends bool, err error) {
	if err := s.checkOther(a, ask.User); err != nil {
		return false, err
	}
	if ask.User.IsGuest() {
		return false, invalid("user", "user: guests are nobody's friends, since anybody can claim their name")
	}
	if err := checkLine("message", ask.Message, maxRequestMessage); err != nil {
		return false, err
	}
	other := ask.User
	cl := newCall(a.User, ask.Key, "friends.request", string(other), ask.Message)
	var tooMany error
	rated := false
	p, err := s.await(ctx, &operation{
		keys: func(k *Keys) {
			k.Calls = append(k.Calls, cl.key)
			k.Users = append(k.Users, other)
			k.Items = append(
				k.Items,
				ItemKey{UserHolder(a.User), blockKind, string(other)}, ItemKey{UserHolder(other), blockKind, string(a.User)},
			)
			friendKeys(k, a.User, other)
		},
		decide: func(b *batch) (Place, error) {
			if p, found, err := b.recall(cl.key, cl.hash); found {
				return p, err
			}
			done := func(friends bool) (Place, error) {
				call := &Call{CallKey: cl.key, Hash: cl.hash, Conversation: DirectID(a.User, other), Time: b.now, At: b.now}
				if friends {
					call.Seq = 1
				}
				b.rows.Calls[cl.key] = call
				b.changes.Calls = append(b.changes.Calls, call)
				return Place{Conversation: call.Conversation, Seq: call.Seq, Time: call.Time}, nil
			}
			switch {
			case b.item(friendItem(a.User, other)) != nil:
				return done(true)
			case b.item(ItemKey{UserHolder(a.User), blockKind, string(other)}) != nil:
				return Place{}, forbidden("you block this user; unblock it first")
			case b.item(ItemKey{UserHolder(other), blockKind, string(a.User)}) != nil:
				return Place{}, notAccepted()
			case b.pending(other, a.User, RequestOut) != nil:
				if err := b.befriend(a.User, other); err != nil {
					return Place{}, err
				}
				return done(true)
			case b.rows.Users[other].settings().FriendRequests == ContactNobody && !a.Server:
				return Place{}, notAccepted()
			case b.pending(a.User, other, RequestOut) != nil:
				return done(false)
			}
			if a.Limited && !rated { // a decision that is made again takes no second token
				rated = true
				if wait, ok := s.rates.take("f"+string(a.User), float64(maxRequestsDaily)/86400, maxRequestsDaily, b.now); !ok {
					tooMany = tooFast("you ask too many people to be your friends", wait)
				}
			}
			if tooMany != nil {
				return Place{}, tooMany
			}
			if n := b.counted(a.User, friendKind); n >= maxFriends {
				return Place{}, fullFriends()
			}
			if !b.count(other, requestKind, 1, maxRequestsWaiting) {
				return Place{}, notAccepted()
			}
			expires := b.now.Add(requestHolds)
			for _, one := range []struct {
				u, with   UserID
				direction string
			}{{a.User, other, RequestOut}, {other, a.User, RequestIn}} {
				b.putOwnDue(one.u, requestKind, string(one.with), mustJSON(requestBody{
					Direction: one.direction, Message: ask.Message, Time: stamp{b.now}, Expires: stamp{expires},
				}), expires)
			}
			return done(false)
		},
	})
	return p.Seq == 1, err
}

func fullFriends() error {
	return forbidden(fmt.Sprintf("you can have at most %d friends; remove one first", maxFriends))
}

// befriend makes friends of two and ends what they have asked each other. Who has too
// many is told so if it is a, and is not told of the other.
func (b *batch) befriend(a, other UserID) error {
	switch {
	case b.counted(a, friendKind) >= maxFriends:
		return fullFriends()
	case b.counted(other, friendKind) >= maxFriends:
		return notAccepted()
	}
	for _, pair := range [][2]UserID{{a, other}, {other, a}} {
		b.count(pair[0], friendKind, 1, maxFriends)
		b.endRequest(pair[0], pair[1])
		b.putOwn(pair[0], friendKind, string(pair[1]), mustJSON(friendBody{Since: stamp{b.now}}))
	}
	return nil
}

// endRequest ends a user's request with another one, if there is one, expired or not.
func (b *batch) endRequest(u, other UserID) {
	it := b.item(requestItem(u, other))
	if it == nil {
		return
	}
	var body requestBody
	if err := json.Unmarshal(it.Body, &body); err != nil || body.Direction == RequestIn {
		b.count(u, requestKind, -1, 0)
	}
	b.putOwn(u, requestKind, string(other), nil)
}

// expireRequest is what is done when an item of requestKind is due.
func (s *Service) expireRequest(it Item) *operation {
	u, other := UserID(strings.TrimPrefix(string(it.Holder), string(UserHolder("")))), UserID(it.Key)
	return &operation{
		keys: func(k *Keys) { k.Items = append(k.Items, it.ItemKey, countKey(u, requestKind)) },
		decide: func(b *batch) (Place, error) {
			if now := b.item(it.ItemKey); now != nil && !b.now.Before(now.Due) {
				b.endRequest(u, other)
			}
			return Place{}, nil
		},
	}
}

// changeFriend runs a change of what is between the caller and another user.
func (s *Service) changeFriend(ctx context.Context, a Actor, other UserID, change func(*batch) error) error {
	if err := s.checkOther(a, other); err != nil {
		return err
	}
	_, err := s.await(ctx, &operation{
		keys:   func(k *Keys) { friendKeys(k, a.User, other) },
		decide: func(b *batch) (Place, error) { return Place{}, change(b) },
	})
	return err
}

func noRequest() error {
	return &Error{Code: CodeNotFound, Message: "there is no such friend request"}
}

func noFriend() error { return &Error{Code: CodeNotFound, Message: "there is no such friend"} }

// AcceptFriend answers a request: the two are friends. Again, it does nothing.
func (s *Service) AcceptFriend(ctx context.Context, a Actor, other UserID) error {
	return s.changeFriend(ctx, a, other, func(b *batch) error {
		switch {
		case b.item(friendItem(a.User, other)) != nil:
			return nil
		case b.pending(a.User, other, RequestIn) == nil:
			return noRequest()
		}
		return b.befriend(a.User, other)
	})
}

// RejectFriend throws a request to the caller away, or takes the caller's own back. Who is
// rejected is not told: its request waits until it expires, and cannot be made anew before.
func (s *Service) RejectFriend(ctx context.Context, a Actor, other UserID) error {
	return s.changeFriend(ctx, a, other, func(b *batch) error {
		switch {
		case b.pending(a.User, other, RequestIn) != nil:
		case b.pending(a.User, other, RequestOut) != nil:
			b.endRequest(other, a.User)
		default:
			return noRequest()
		}
		b.endRequest(a.User, other)
		return nil
	})
}

// RemoveFriend ends a friendship, for both.
func (s *Service) RemoveFriend(ctx context.Context, a Actor, other UserID) error {
	return s.changeFriend(ctx, a, other, func(b *batch) error {
		for _, pair := range [][2]UserID{{a.User, other}, {other, a.User}} {
			if b.item(friendItem(pair[0], pair[1])) != nil {
				b.count(pair[0], friendKind, -1, 0)
				b.putOwn(pair[0], friendKind, string(pair[1]), nil)
			}
		}
		return nil
	})
}

// UpdateFriend sets what the caller keeps of a friend for itself; what is nil stays.
func (s *Service) UpdateFriend(ctx context.Context, a Actor, other UserID, remark *string, tags *[]string) (Friend, error) {
	if remark != nil {
		if err := checkLine("remark", *remark, maxRemark); err != nil {
			return Friend{}, err
		}
	}
	if tags != nil {
		if err := checkTags("tags", *tags, maxFriendTags); err != nil {
			return Friend{}, err
		}
	}
	var f Friend
	err := s.changeFriend(ctx, a, other, func(b *batch) error {
		it := b.item(friendItem(a.User, other))
		if it == nil {
			return noFriend()
		}
		var body friendBody
		if err := json.Unmarshal(it.Body, &body); err != nil {
			return readError(err)
		}
		if remark != nil {
			body.Remark = *remark
		}
		if tags != nil {
			body.Tags = slices.Compact(slices.Sorted(slices.Values(*tags)))
		}
		b.putOwn(a.User, friendKind, string(other), mustJSON(body))
		f = Friend{other, body.Since.Time, body.Remark, body.Tags}
		return nil
	})
	return f, err
}

// Friends answers the caller's friends by id, and whether there are more.
func (s *Service) Friends(ctx context.Context, a Actor, after UserID, limit int) ([]Friend, bool, error) {
	items, more, err := s.ownItems(ctx, a.User, friendKind, string(after), limit)
	if err != nil {
		return nil, false, err
	}
	list := make([]Friend, len(items))
	for i, it := range items {
		var body friendBody
		if err := json.Unmarshal(it.Body, &body); err != nil {
			return nil, false, readError(err)
		}
		list[i] = Friend{UserID(it.Key), body.Since.Time, body.Remark, body.Tags}
	}
	return list, more, nil
}

// FriendRequests answers the caller's requests, to it and by it, by the other one's id,
// and whether there are more.
func (s *Service) FriendRequests(ctx context.Context, a Actor, after UserID, limit int) ([]FriendRequest, bool, error) {
	items, more, err := s.ownItems(ctx, a.User, requestKind, string(after), limit)
	if err != nil {
		return nil, false, err
	}
	list := make([]FriendRequest, 0, len(items))
	for _, it := range items {
		var body requestBody
		if err := json.Unmarshal(it.Body, &body); err != nil {
			return nil, false, readError(err)
		}
		if s.cfg.Now().Before(body.Expires.Time) {
			list = append(list, FriendRequest{UserID(it.Key), body.Direction, body.Message, body.Time.Time, body.Expires.Time})
		}
	}
	return list, more, nil
}

// checkLine checks a text of one line that may be empty.
func checkLine(param, text string, most int) error {
	if !utf8.ValidString(text) || utf8.RuneCountInString(text) > most || strings.ContainsFunc(text, hidden) {
		return invalid(param, "%s: one line of at most %d characters", param, most)
	}
	return nil
}

// checkTags checks labels.
func checkTags(param string, tags []string, most int) error {
	if len(tags) > most {
		return invalid(param, "%s: at most %d", param, most)
	}
	for _, t := range tags {
		if t == "" || strings.TrimSpace(t) != t || checkLine(param, t, maxTag) != nil {
			return invalid(param, "%s: each of 1 to %d characters, without blanks around it", param, maxTag)
		}
	}
	return nil
}
