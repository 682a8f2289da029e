package chat_test

import (
	"slices"
	"testing"
	"time"

	"github.com/linnet-im/linnet/internal/chat"
)

func asServer(u chat.UserID) chat.Actor { return chat.Actor{User: u, Server: true} }

// Who is banned finds the room nowhere: not to write in, to read, to like, to set something
// in, and not in its threads. Mutants: membership without banned; standing without it;
// keepsRows left out of shut; removable without the owner; setRole left out of shut.
func TestBanFromRoom(t *testing.T) {
	for _, room := range []string{"made", "lobby"} {
		t.Run(room, func(t *testing.T) {
			w := newWorld(t)
			r, staff := chat.Lobby, asServer("root")
			if room == "made" {
				r, staff = w.room("alice", 1), as("alice")
			}
			said := w.mustSend("bob", into(r, 2)).Seq
			cid, key := id(3)
			thread, err := w.CreateThread(t.Context(), as("carol"), chat.EventKey{Conversation: r, Seq: said}, key, cid)
			if err != nil {
				t.Fatal(err)
			}
			w.mustSend("bob", into(thread, 4))
			if _, err := w.UpdateMember(t.Context(), staff, chat.UpdateMember{GroupCall: call(r, 5), User: "bob", Role: role(chat.Admin)}); err != nil {
				t.Fatal(err)
			}
			w.bus.taken()
			until := w.clock.now().Add(time.Hour)
			if _, err := w.BanMembers(t.Context(), staff, change(r, 6, "bob", "guest:zoe"), &until, "spam"); err != nil {
				t.Fatal(err)
			}
			w.mustSend("carol", into(r, 7)) // others go on, and what was told before is told now
			_, notices := w.bus.taken()
			i := slices.IndexFunc(notices, func(n chat.Notice) bool { return n.Evict != nil })
			if i < 0 || !slices.Equal(notices[i].Evict.Users, []chat.UserID{"bob", "guest:zoe"}) || notices[i].Conversation.ID != r {
				t.Errorf("told %+v", notices)
			}
			n := 100
			closed := func(want chat.Code) {
				t.Helper()
				n += 10
				for _, u := range []chat.UserID{"bob", "guest:zoe"} {
					_, err := w.send(u, into(r, n))
					wantCode(t, err, want)
					_, err = w.Conversation(t.Context(), as(u), r)
					wantCode(t, err, want)
					_, err = w.List(t.Context(), as(u), chat.List{Conversation: r, Limit: 5})
					wantCode(t, err, want)
					_, err = w.RoomState(t.Context(), as(u), r, 1)
					wantCode(t, err, want)
					wantCode(t, w.Like(t.Context(), as(u), r, 1), want)
					_, err = w.setAttribute(u, chat.SetAttribute{Room: r, Key: "k " + string(u), Value: value("v")})
					wantCode(t, err, want)
				}
				_, err = w.send("bob", into(thread, n+1))
				wantCode(t, err, want)
				_, err = w.List(t.Context(), as("bob"), chat.List{Conversation: thread, Limit: 5})
				wantCode(t, err, want)
			}
			closed(chat.CodeNotFound)
			bans, more, err := w.Bans(t.Context(), staff, r, "", 10)
			if err != nil || more || len(bans) != 2 || bans[0].User != "bob" || bans[0].Reason != "spam" {
				t.Errorf("%+v, %v, %v", bans, more, err)
			}
			w.clock.set(until) // it has ended
			closed("")
			_, err = w.MuteMembers(t.Context(), as("bob"), change(r, 12, "carol"), nil)
			wantCode(t, err, chat.CodeForbidden) // and with it the role
			if _, err := w.BanMembers(t.Context(), staff, change(r, 13, "bob", "guest:zoe"), nil, ""); err != nil {
				t.Fatal(err)
			}
			closed(chat.CodeNotFound)
			if _, err := w.UnbanMembers(t.Context(), staff, change(r, 14, "bob", "guest:zoe")); err != nil {
				t.Fatal(err)
			}
			closed("")
			// Nobody's list has it.
			if synced, err := w.Sync(t.Context(), as("bob"), "", "", 10); err != nil || len(synced.Conversations) != 0 && room == "lobby" && synced.Conversations[0].Conversation.Kind != chat.Thread {
				t.Errorf("%+v, %v", synced.Conversations, err)
			}
		})
	}
}

func role(r chat.Role) *chat.Role { return &r }

// The first that is done in a room that nobody moderated yet holds. Mutants: keepsRows left out of
// shut, or of setMutes; removable without the owner.
func TestFirstRowInALobby(t *testing.T) {
	w := newWorld(t)
	if _, err := w.BanMembers(t.Context(), asServer("root"), change(chat.Lobby, 1, "bob"), nil, ""); err != nil {
		t.Fatal(err)
	}
	_, err := w.Conversation(t.Context(), as("bob"), chat.Lobby)
	wantCode(t, err, chat.CodeNotFound)
	w = newWorld(t)
	if _, err := w.MuteMembers(t.Context(), asServer("root"), change(chat.Lobby, 1, "bob"), nil); err != nil {
		t.Fatal(err)
	}
	wantCode(t, w.Like(t.Context(), as("bob"), chat.Lobby, 1), chat.CodeMuted)
	r := w.room("alice", 2)
	_, err = w.BanMembers(t.Context(), asServer("root"), change(r, 3, "alice"), nil, "")
	wantCode(t, err, chat.CodeForbidden) // it would have no owner
}

// Mutants: speak without the mute of all for who has no row; without the member's; slow
// without who has no row; may in rooms asks for members.
func TestMutesInRooms(t *testing.T) {
	w := newWorld(t)
	r := w.room("alice", 1)
	if _, err := w.UpdateMember(t.Context(), as("alice"), chat.UpdateMember{GroupCall: call(r, 2), User: "adam", Role: role(chat.Admin)}); err != nil {
		t.Fatal(err)
	}
	says := func(u chat.UserID, n int, want chat.Code) {
		t.Helper()
		_, err := w.send(u, into(r, n))
		wantCode(t, err, want)
	}
	must := func(_ chat.Place, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(w.MuteMembers(t.Context(), as("adam"), change(r, 3, "bob", "guest:zoe"), nil))
	says("bob", 4, chat.CodeMuted)
	says("guest:zoe", 5, chat.CodeMuted)
	says("carol", 6, "")
	w.summary("bob", r) // reads on
	must(w.UnmuteMembers(t.Context(), as("adam"), change(r, 7, "bob")))
	says("bob", 8, "")
	until := w.clock.now().Add(time.Minute)
	must(w.MuteGroup(t.Context(), as("alice"), call(r, 9), &until, []chat.UserID{"carol"}))
	says("bob", 10, chat.CodeMuted)
	says("dave", 11, chat.CodeMuted)
	says("carol", 12, "")
	says("adam", 13, "")
	must(w.UnmuteGroup(t.Context(), as("alice"), call(r, 14)))
	says("dave", 15, "")
	pause := int64(60_000)
	must(w.UpdateGroup(t.Context(), as("alice"), chat.UpdateGroup{GroupCall: call(r, 16), Settings: &chat.SettingsChange{SlowModeMS: &pause}}))
	says("dave", 17, "")
	says("dave", 18, chat.CodeRate)
	says("adam", 19, "")
	says("adam", 20, "")

	for what, err := range map[string]error{
		"an admin mutes the owner":     second(w.MuteMembers(t.Context(), as("adam"), change(r, 30, "alice"), nil)),
		"an admin bans an admin":       second(w.BanMembers(t.Context(), as("adam"), change(r, 31, "adam", "alice"), nil, "")),
		"an admin makes an admin":      second(w.UpdateMember(t.Context(), as("adam"), chat.UpdateMember{GroupCall: call(r, 32), User: "bob", Role: role(chat.Admin)})),
		"anybody mutes":                second(w.MuteMembers(t.Context(), as("carol"), change(r, 33, "bob"), nil)),
		"anybody bans":                 second(w.BanMembers(t.Context(), as("carol"), change(r, 34, "bob"), nil, "")),
		"anybody names it":             second(w.UpdateGroup(t.Context(), as("carol"), chat.UpdateGroup{GroupCall: call(r, 35), Name: value("mine")})),
		"an admin dismisses it":        second(w.DismissGroup(t.Context(), as("adam"), call(r, 36))),
		"a member is added":            second(w.AddMembers(t.Context(), as("alice"), change(r, 37, "bob"))),
		"a member is removed":          second(w.RemoveMembers(t.Context(), as("alice"), change(r, 38, "bob"))),
		"the owner leaves":             second(w.leave("alice", r, 39)),
		"a join setting":               second(w.UpdateGroup(t.Context(), as("alice"), chat.UpdateGroup{GroupCall: call(r, 40), Settings: &chat.SettingsChange{Join: chat.JoinOpen}})),
		"a group's attributes":         second(w.UpdateGroup(t.Context(), as("alice"), chat.UpdateGroup{GroupCall: call(r, 41), Attributes: map[string]*string{"k": value("v")}})),
		"a guest becomes an admin":     second(w.UpdateMember(t.Context(), as("alice"), chat.UpdateMember{GroupCall: call(r, 42), User: "guest:zoe", Role: role(chat.Admin)})),
		"a server dismisses the lobby": second(w.DismissGroup(t.Context(), asServer("root"), call(chat.Lobby, 43))),
	} {
		if c := code(err); c != chat.CodeForbidden && c != chat.CodeParam {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func second(_ chat.Place, err error) error { return err }

// Mutants: Transfer to who has no row is refused; evict left out of DismissGroup.
func TestRoomChangesHandsAndIsDismissed(t *testing.T) {
	w := newWorld(t)
	r := w.room("alice", 1)
	if _, err := w.Transfer(t.Context(), as("alice"), call(r, 2), "bob"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.UpdateGroup(t.Context(), as("alice"), chat.UpdateGroup{
		GroupCall: call(r, 3), Name: value("ours"), Picture: value("https://example.com/p"), Announcement: value("be kind"),
	}); err != nil { // she is an admin now
		t.Fatal(err)
	}
	s, err := w.RoomState(t.Context(), as("zoe"), r, 0)
	if c := s.Summary.Conversation; err != nil || c.Name != "ours" || c.Details.Announcement != "be kind" || !slices.Equal(c.Staff(), []chat.Staff{{User: "bob", Role: chat.Owner}, {User: "alice", Role: chat.Admin}}) {
		t.Errorf("%+v, %v", c, err)
	}
	_, err = w.DismissGroup(t.Context(), as("alice"), call(r, 4))
	wantCode(t, err, chat.CodeForbidden)
	w.bus.taken()
	if _, err := w.DismissGroup(t.Context(), as("bob"), call(r, 5)); err != nil {
		t.Fatal(err)
	}
	_, err = w.send("bob", into(r, 6)) // after what was told before
	wantCode(t, err, chat.CodeForbidden)
	_, notices := w.bus.taken()
	if len(notices) != 1 || notices[0].Evict == nil || notices[0].Evict.Users != nil {
		t.Errorf("told %+v", notices)
	}
	_, err = w.setAttribute("bob", chat.SetAttribute{Room: r, Key: "k", Value: value("v")})
	wantCode(t, err, chat.CodeForbidden)
	if log := w.log("zoe", r); log[len(log)-1].Kind != chat.Closed {
		t.Errorf("the past is %+v", log)
	}
}
