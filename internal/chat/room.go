package chat

import (
	"context"
	"fmt"
	"slices"
)

// A room has no members but who is in it now: sessions come and go, and nothing of that is
// logged. Its log is open to everybody who knows its id, but for those it is closed to: see
// moderate.go.

// Presence says who is in rooms now; on several nodes, on any of them. Its methods do not block.
type Presence interface {
	Online(room ConversationID) int
	// Sample answers up to n users who are in the room, any of them.
	Sample(room ConversationID, n int) []UserID
	Present(room ConversationID, u UserID) bool
}

// nobody is who is in rooms where nothing is known of that.
type nobody struct{}

func (nobody) Online(ConversationID) int           { return 0 }
func (nobody) Sample(ConversationID, int) []UserID { return nil }
func (nobody) Present(ConversationID, UserID) bool { return false }

// RoomRules say whose messages go through when a room is full of them.
type RoomRules struct {
	Users []UserID `json:"users,omitempty"` // sorted; as many as they like
	Types []string `json:"types,omitempty"` // of content; sorted
}

const (
	maxRoomUsers = 100 // users that a room's rules name
	maxRoomTypes = 20
	// maxSample is the most users a sample of a room names.
	maxSample = 100
)

const roomPrefix = "r_"

// NewRoomID makes the id of a new room: "r_" and 128 random bits.
func NewRoomID() ConversationID { return ConversationID(roomPrefix + randomID()) }

// CreateRoom makes a room with the caller as its owner, and answers the place of its first event.
func (s *Service) CreateRoom(ctx context.Context, a Actor, key [16]byte, clientID, name string) (Place, error) {
	if !s.MaySee(a.User, Group) {
		return Place{}, forbidden("guests make no rooms here")
	}
	if err := CheckName(name); err != nil {
		return Place{}, err
	}
	id := NewRoomID()
	cl := newCall(a.User, key, "rooms.create", name)
	return s.await(ctx, &operation{
		keys: func(k *Keys) { k.Calls = append(k.Calls, cl.key) },
		decide: func(b *batch) (Place, error) {
			if p, found, err := b.recall(cl.key, cl.hash); found {
				return p, err
			}
			if a.Limited {
				perHour := s.cfg.Limits.NewRoomsHourly
				if wait, ok := s.rates.take("r"+string(a.User), float64(perHour)/3600, perHour, b.now); !ok {
					return Place{}, tooFast("you make too many rooms", wait)
				}
			}
			c := &Conversation{ID: id, Kind: Room, Name: name, SharedPast: true, Time: b.now}
			b.addConversation(c)
			m := &Member{MemberKey: MemberKey{id, a.User}}
			setRole(c, m, Owner)
			b.putMember(m)
			e := &Event{Kind: Created, From: a.User, ClientID: clientID, Content: changeContent{
				Text: fmt.Sprintf("%s opened the room", a.User), Name: name, Owner: a.User,
			}.encode()}
			b.append(c, e)
			return b.remember(cl.key, cl.hash, e), nil
		},
	})
}

// SetRoomRules sets whose messages, and of which types, go through however much is being
// said in a room; its owner and admins may.
func (s *Service) SetRoomRules(ctx context.Context, a Actor, id ConversationID, rules RoomRules) error {
	if len(rules.Users) > maxRoomUsers {
		return invalid("users", "users: at most %d", maxRoomUsers)
	}
	if len(rules.Types) > maxRoomTypes {
		return invalid("types", "types: at most %d", maxRoomTypes)
	}
	users, err := s.checkUsers("users", rules.Users, false)
	if err != nil {
		return err
	}
	rules.Users = users
	rules.Types = slices.Compact(slices.Sorted(slices.Values(rules.Types)))
	_, err = s.await(ctx, &operation{
		keys: func(k *Keys) { standKeys(k, a.User, id) },
		decide: func(b *batch) (Place, error) {
			c, m, err := s.roomOf(b, a, id)
			if err != nil {
				return Place{}, err
			}
			if err := may(a, c, m, RightManage); err != nil {
				return Place{}, err
			}
			d := c.details()
			d.Room = &rules
			if len(rules.Users)+len(rules.Types) == 0 {
				d.Room = nil
			}
			c.setDetails(d)
			b.conversations.add(c)
			return Place{}, nil
		},
	})
	return err
}

// roomOf gives a room and the caller's row in it, nil for most.
func (s *Service) roomOf(b *batch, a Actor, id ConversationID) (*Conversation, *Member, error) {
	c, _, m, err := s.standing(b, a, id)
	if err != nil {
		return nil, nil, err
	}
	if c.Kind != Room {
		return nil, nil, forbidden("this is for rooms")
	}
	return c, m, nil
}

// RoomState is what one sees of a room without being in it.
type RoomState struct {
	Summary    Summary
	Online     int
	Sample     []UserID
	Attributes []Attribute // by key
	Likes      int64
	Rules      RoomRules
}

// RoomState answers a room as it is now, with a sample of up to n users who are in it.
func (s *Service) RoomState(ctx context.Context, a Actor, id ConversationID, n int) (RoomState, error) {
	sum, err := s.Conversation(ctx, a, id)
	if err != nil {
		return RoomState{}, err
	}
	if sum.Conversation.Kind != Room {
		return RoomState{}, forbidden("this is for rooms")
	}
	out := RoomState{Summary: sum, Online: s.cfg.Presence.Online(id), Sample: s.cfg.Presence.Sample(id, min(n, maxSample))}
	slices.Sort(out.Sample)
	if rules := sum.Conversation.details().Room; rules != nil {
		out.Rules = *rules
	}
	if out.Attributes, err = s.attributes(ctx, id); err != nil {
		return RoomState{}, err
	}
	if out.Likes, err = s.likesOf(ctx, id); err != nil {
		return RoomState{}, err
	}
	return out, nil
}
