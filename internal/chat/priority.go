package chat

import (
	"encoding/json"
	"slices"
	"time"
)

// Priority is how much a message in a room matters when too much is being said. Under load
// the least important are refused before they have a seq; what has one is never dropped from
// the log, but may be told as a gap to those who are live.
type Priority string

// The priorities. NormalPriority is the usual one and is not in events.
const (
	HighPriority   Priority = "high"
	NormalPriority Priority = ""
	LowPriority    Priority = "low"
)

// Rank orders priorities: what has a lower one goes first.
func (p Priority) Rank() int {
	switch p {
	case HighPriority:
		return 2
	case LowPriority:
		return 0
	}
	return 1
}

// kept is the share of a room's burst that is left to more important messages.
func (p Priority) kept() float64 {
	switch p {
	case HighPriority:
		return 0
	case LowPriority:
		return 0.5
	}
	return 0.2
}

// admit takes what a message costs the room it goes to. Users and types that the room's
// rules name cost nothing.
func (o *sendOp) admit(c *Conversation, now time.Time) error {
	l, r := &o.service.cfg.Limits, &o.service.rates
	if c == nil || c.Kind != Room {
		if wait, ok := r.take("c"+string(o.id), l.RoomSendsPerSec, l.RoomSendsBurst, now); !ok {
			return tooFast("too much is being said in this conversation", wait)
		}
		return nil
	}
	if rules := c.details().Room; rules != nil && rules.exempts(o.actor.User, o.send.Content) {
		return nil
	}
	kept := o.send.Priority.kept() * float64(l.RoomSendsBurst)
	if wait, ok := r.takeAbove("c"+string(o.id), kept, l.RoomSendsPerSec, l.RoomSendsBurst, now); !ok {
		return &Error{Code: CodeRoomBusy, Message: "too much is being said in this room", RetryAfter: wait.Round(time.Millisecond) + time.Millisecond}
	}
	return nil
}

func (r *RoomRules) exempts(u UserID, content json.RawMessage) bool {
	if _, ok := slices.BinarySearch(r.Users, u); ok {
		return true
	}
	if len(r.Types) == 0 {
		return false
	}
	var c struct {
		Type string `json:"type"`
	}
	_ = json.Unmarshal(content, &c) // it was checked
	_, ok := slices.BinarySearch(r.Types, c.Type)
	return ok
}
