package session

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"

	"github.com/linnet-im/linnet/internal/api"
	"github.com/linnet-im/linnet/internal/auth"
	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/wire"
)

// signed is api.Signed for the user of an identity.
type signed struct {
	hub *Hub
	id  *auth.Identity
}

// Signed gives the calls about where an identity's user is signed in.
func (h *Hub) Signed(id *auth.Identity) api.Signed { return signed{h, id} }

// liveOf answers a user's live sessions that can be listed.
func (h *Hub) liveOf(user chat.UserID) []seated {
	var list []seated
	for _, sink := range h.cfg.Router.SinksOf(user) {
		if l, ok := sink.(seated); ok && !l.place().byKey() {
			list = append(list, l)
		}
	}
	return list
}

// Presence is api.Signed's.
func (s signed) Presence(ctx context.Context, users []chat.UserID) ([]wire.Presence, error) {
	return s.hub.Presence(ctx, s.id.User, users)
}

// SetStatus is api.Signed's.
func (s signed) SetStatus(ctx context.Context, status string) error {
	return s.hub.SetStatus(ctx, s.id.User, status)
}

// Screen is api.Signed's.
func (s signed) Screen(ctx context.Context, others []chat.UserID) error {
	return s.hub.Screen(ctx, s.id.User, others)
}

// TellProfile is api.Signed's.
func (s signed) TellProfile(u wire.User) {
	params, err := json.Marshal(u)
	if err != nil {
		return // it is no text: nobody is told of it
	}
	s.hub.cfg.Chat.TellUser(s.id.User, "user", params)
	s.hub.cfg.Presence.Tell(s.id.User, "user", params)
}

// HideSeen is api.Signed's.
func (s signed) HideSeen(hide bool) { s.hub.cfg.Presence.HideSeen(s.id.User, hide) }

// Sessions is api.Signed's.
func (s signed) Sessions(ctx context.Context) (wire.SessionsResult, error) {
	if err := s.hub.cfg.Chat.FlushVisits(ctx); err != nil {
		return wire.SessionsResult{}, err
	}
	account, err := s.hub.cfg.Chat.Account(ctx, s.id.User)
	if err != nil {
		return wire.SessionsResult{}, err
	}
	out := wire.SessionsResult{Sessions: []wire.SessionInfo{}, Devices: []wire.DeviceInfo{}}
	online := make(map[string]bool)
	var seats []*seat
	for _, l := range s.hub.liveOf(s.id.User) {
		seats = append(seats, l.place())
	}
	// Of two in one millisecond, too, the newer one comes first.
	slices.SortFunc(seats, func(x, y *seat) int { return cmp.Or(y.since.Compare(x.since), cmp.Compare(x.id.Session, y.id.Session)) })
	for _, place := range seats {
		i, _ := place.info()
		i.Current = i.Session == s.id.Session
		online[i.Device] = true
		out.Sessions = append(out.Sessions, i)
	}
	for _, d := range account.Devices {
		out.Devices = append(out.Devices, wire.DeviceInfo{
			Device: d.ID, Platform: d.Platform, Name: d.Name, Since: wire.FormatTime(d.Since), Seen: wire.FormatTime(d.Seen),
			Online: online[d.ID], Revoked: !d.Revoked.IsZero() && account.Admits(d.Token, d.ID) != nil, Current: d.ID == s.id.Device && d.ID != "",
		})
	}
	slices.SortStableFunc(out.Devices, func(x, y wire.DeviceInfo) int { return cmp.Compare(y.Seen, x.Seen) })
	return out, nil
}

// RevokeSession is api.Signed's.
func (s signed) RevokeSession(ctx context.Context, session string) (wire.RevokeResult, error) {
	of := func(i wire.SessionInfo) bool { return i.Session == session }
	var r chat.Revocation
	for _, l := range s.hub.liveOf(s.id.User) {
		if i, tokens := l.place().info(); of(i) {
			r.Tokens = append(r.Tokens, tokens...)
		}
	}
	if len(r.Tokens) == 0 {
		return wire.RevokeResult{}, &chat.Error{Code: chat.CodeNotFound, Message: "there is no such live session of yours"}
	}
	return s.signOut(ctx, r, of)
}

// RevokeDevice is api.Signed's.
func (s signed) RevokeDevice(ctx context.Context, device string) (wire.RevokeResult, error) {
	if device == "" {
		return wire.RevokeResult{}, paramError("device", "device: one of sessions.list")
	}
	of := func(i wire.SessionInfo) bool { return i.Device == device }
	r := chat.Revocation{Device: device}
	for _, l := range s.hub.liveOf(s.id.User) {
		if i, tokens := l.place().info(); of(i) {
			r.Tokens = append(r.Tokens, tokens...)
		}
	}
	return s.signOut(ctx, r, of)
}

// RevokeOthers is api.Signed's.
func (s signed) RevokeOthers(ctx context.Context) (wire.RevokeResult, error) {
	return s.signOut(ctx, chat.Revocation{Others: true, Keep: s.id.Token},
		func(i wire.SessionInfo) bool { return i.Session != s.id.Session })
}

// DeleteAccount is api.Signed's.
func (s signed) DeleteAccount(ctx context.Context, purge bool) error {
	if err := s.hub.cfg.Chat.DeleteAccount(ctx, s.id.User, purge); err != nil {
		return err
	}
	for _, l := range s.hub.liveOf(s.id.User) {
		l.revoke(&wire.Close{Code: string(wire.CodeDeleted), Message: "this account was deleted"})
	}
	return nil
}

// signOut revokes, on disk, and then closes what is live of it.
func (s signed) signOut(ctx context.Context, r chat.Revocation, of func(wire.SessionInfo) bool) (wire.RevokeResult, error) {
	var out wire.RevokeResult
	for {
		if err := s.hub.cfg.Chat.Revoke(ctx, s.id.User, r); err != nil {
			return wire.RevokeResult{}, err
		}
		var late []chat.Token // that came since they were looked up
		for _, l := range s.hub.liveOf(s.id.User) {
			i, _ := l.place().info()
			if !of(i) {
				continue
			}
			l.revoke(&revoked)
			out.Closed++
			_, tokens := l.place().info() // it takes no other one any more
			for _, t := range tokens {
				if !slices.Contains(r.Tokens, t) {
					late = append(late, t)
				}
			}
		}
		if r.Others || len(late) == 0 {
			return out, nil
		}
		r = chat.Revocation{Tokens: late}
	}
}
