package api_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/linnet-im/linnet/internal/api"
	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/internal/store/memory"
	"github.com/linnet-im/linnet/wire"
)

// Who calls. The columns of the table below, in this order.
const (
	nobody    = iota // has not signed in
	lobbyist         // guest:ann, kept to open rooms; was in the group and wrote to bob when guests were full users
	fullGuest        // guest:ann, a user like others, in the group and with bob
	stranger         // a user who is in nothing
	member           // of the group; nothing else
	owner            // of the group
	former           // was in the group and was removed
	pair             // bob, in the direct conversation with guest:ann

	muted  // of the group
	admin  // of the group
	banned // from the group, which it was in

	serverKey // with the scope admin, acting for sam, who is in nothing
	callers

	basic = muted // a rule names those before; the others are like one of them
)

func names() [callers]string {
	return [callers]string{"nobody", "guest in the lobby", "full guest", "stranger", "member", "owner", "former member", "member of the direct", "muted member", "admin", "banned", "server key"}
}

func users() [callers]chat.UserID {
	return [callers]chat.UserID{"", "guest:ann", "guest:ann", "sam", "mia", "olga", "fred", "bob", "max", "adam", "ben", "sam"}
}

// Short names of what a call may answer.
const (
	ok = wire.Code("")
	no = wire.CodeNotFound
	fb = wire.CodeForbidden
	ss = wire.CodeSession
	pa = wire.CodeParam
	mu = wire.CodeMuted
	ao = wire.CodeOpen
)

// rule is one line: what each caller gets for a call. GROUP, DIRECT and CID in the
// parameters stand for ids of the fixture and a fresh client_id.
type rule struct {
	method, what, params string
	want                 [basic]wire.Code
	but                  map[int]wire.Code // for those who are not like others
}

// wantOf answers what a caller gets. Who is not basic is like somebody, but where the rule
// says otherwise.
func (r *rule) wantOf(who int) wire.Code {
	if code, ok := r.but[who]; ok {
		return code
	}
	like := map[int]int{muted: member, admin: member, banned: former, serverKey: owner}
	if as, ok := like[who]; ok {
		who = as
	}
	return r.want[who]
}

func rules() []rule {
	return slices.Concat(
		sessionRules(),
		searchRules(),
		groupRules(),
		receiptRules(),
		userRules(),
		conversationRules(),
		memberRules(),
		messageRules(),
		threadRules(),
		changeRules(),
		streamRules(),
		laterRules(),
		roomRules(),
		moderationRules(),
		channelRules(),
		broadcastRules(),
		presenceRules(),
		peopleRules(),
		inboxRules(),
		friendRules(),
		syncRules(),
		keyRules(),
	)
}

func sessionRules() []rule {
	return []rule{
		//                                                                             nobody lobby full stranger member owner former pair
		{"ping", "", `{}`, [basic]wire.Code{ok, ok, ok, ok, ok, ok, ok, ok}, nil},
		{"session.open", "as a guest", `{"guest":"zoe"}`, [basic]wire.Code{ok, ao, ao, ao, ao, ao, ao, ao}, nil},
		{"session.close", "", `{}`, [basic]wire.Code{ss, ok, ok, ok, ok, ok, ok, ok}, nil},
		{"session.ack", "with no cursor of the caller's", `{"cursor":"x"}`, [basic]wire.Code{ss, pa, pa, pa, pa, pa, pa, pa}, nil},
		{"sessions.list", "", `{}`, [basic]wire.Code{ss, fb, fb, ok, ok, ok, ok, ok}, nil},
		{"sessions.revoke", "none of the caller's", `{"session":"x"}`, [basic]wire.Code{ss, fb, fb, no, no, no, no, no}, nil},
		{"devices.revoke", "none of the caller's", `{"device":"x"}`, [basic]wire.Code{ss, fb, fb, no, no, no, no, no}, nil},
		{"sessions.revoke_others", "", `{}`, [basic]wire.Code{ss, fb, fb, ok, ok, ok, ok, ok}, nil},
	}
}

func userRules() []rule {
	return []rule{
		//                                                                             nobody lobby full stranger member owner former pair
		{"users.get", "", `{"ids":["bob","nobody-at-all"]}`, [basic]wire.Code{ss, ok, ok, ok, ok, ok, ok, ok}, nil},
		{"users.update", "", `{"name":"N"}`, [basic]wire.Code{ss, fb, fb, ok, ok, ok, ok, ok}, nil},
	}
}

func conversationRules() []rule {
	return []rule{
		//                                                                             nobody lobby full stranger member owner former pair
		{"conversations.create", "a group", `{"kind":"group","client_id":"CID","name":"n"}`, [basic]wire.Code{ss, fb, ok, ok, ok, ok, ok, ok}, nil},
		{"conversations.create", "a direct one", `{"kind":"direct","user":"bob"}`, [basic]wire.Code{ss, fb, ok, ok, ok, ok, ok, ok}, nil},
		{"conversations.get", "the group", `{"conversation":"GROUP"}`, [basic]wire.Code{ss, no, ok, no, ok, ok, ok, no}, nil},
		{"conversations.get", "the direct one", `{"conversation":"DIRECT"}`, [basic]wire.Code{ss, no, ok, no, no, no, no, ok}, by(ok)},
		{"conversations.get", "the lobby", `{"conversation":"lobby"}`, [basic]wire.Code{ss, ok, ok, ok, ok, ok, ok, ok}, nil},
		{"conversations.get", "nothing", `{"conversation":"g_none"}`, [basic]wire.Code{ss, no, no, no, no, no, no, no}, nil},
		{"conversations.list", "", `{}`, [basic]wire.Code{ss, ok, ok, ok, ok, ok, ok, ok}, nil},
		{"conversations.leave", "the group", `{"conversation":"GROUP","client_id":"CID"}`, [basic]wire.Code{ss, no, ok, no, ok, ok, no, no}, by(no)},
		{"conversations.leave", "the direct one", `{"conversation":"DIRECT","client_id":"CID"}`, [basic]wire.Code{ss, no, fb, no, no, no, no, fb}, by(fb)},
		{"conversations.leave", "the lobby", `{"conversation":"lobby","client_id":"CID"}`, [basic]wire.Code{ss, fb, fb, fb, fb, fb, fb, fb}, nil},
		{"conversations.leave", "nothing", `{"conversation":"g_none","client_id":"CID"}`, [basic]wire.Code{ss, no, no, no, no, no, no, no}, nil},
	}
}

func memberRules() []rule {
	return []rule{
		//                                                                             nobody lobby full stranger member owner former pair
		{"members.list", "the group", `{"conversation":"GROUP"}`, [basic]wire.Code{ss, no, ok, no, ok, ok, fb, no}, nil},
		{"members.list", "the direct one", `{"conversation":"DIRECT"}`, [basic]wire.Code{ss, no, ok, no, no, no, no, ok}, by(ok)},
		{"members.list", "the lobby", `{"conversation":"lobby"}`, [basic]wire.Code{ss, fb, fb, fb, fb, fb, fb, fb}, nil},
		{"members.list", "nothing", `{"conversation":"g_none"}`, [basic]wire.Code{ss, no, no, no, no, no, no, no}, nil},
		{"members.add", "to the group", `{"conversation":"GROUP","client_id":"CID","users":["new"]}`, [basic]wire.Code{ss, no, ok, no, ok, ok, no, no}, nil},
		{"members.add", "one who is banned", `{"conversation":"GROUP","client_id":"CID","users":["ben"]}`, [basic]wire.Code{ss, no, fb, no, fb, fb, no, no}, nil},
		{"members.add", "to the direct one", `{"conversation":"DIRECT","client_id":"CID","users":["new"]}`, [basic]wire.Code{ss, no, fb, no, no, no, no, fb}, by(fb)},
		{"members.add", "to the lobby", `{"conversation":"lobby","client_id":"CID","users":["new"]}`, [basic]wire.Code{ss, fb, fb, fb, fb, fb, fb, fb}, nil},
		{"members.add", "to nothing", `{"conversation":"g_none","client_id":"CID","users":["new"]}`, [basic]wire.Code{ss, no, no, no, no, no, no, no}, nil},
		{"members.remove", "from the group", `{"conversation":"GROUP","client_id":"CID","users":["mel"]}`, [basic]wire.Code{ss, no, fb, no, fb, ok, no, no}, adminToo()},
		{"members.remove", "an admin", `{"conversation":"GROUP","client_id":"CID","users":["ada"]}`, [basic]wire.Code{ss, no, fb, no, fb, ok, no, no}, nil},
		{"members.remove", "from the direct one", `{"conversation":"DIRECT","client_id":"CID","users":["bob"]}`, [basic]wire.Code{ss, no, fb, no, no, no, no, fb}, by(fb)},
		{"members.remove", "from nothing", `{"conversation":"g_none","client_id":"CID","users":["max"]}`, [basic]wire.Code{ss, no, no, no, no, no, no, no}, nil},
	}
}

func messageRules() []rule {
	const send = `,"client_id":"CID","content":{"type":"text","text":"hi"}}`
	return []rule{
		//                                                                             nobody lobby full stranger member owner former pair
		{"messages.send", "to the group", `{"to":{"conversation":"GROUP"}` + send, [basic]wire.Code{ss, no, ok, no, ok, ok, no, no}, map[int]wire.Code{muted: mu}},
		{"messages.send", "to the direct one", `{"to":{"conversation":"DIRECT"}` + send, [basic]wire.Code{ss, no, ok, no, no, no, no, ok}, by(fb)},
		{"messages.send", "to the lobby", `{"to":{"conversation":"lobby"}` + send, [basic]wire.Code{ss, ok, ok, ok, ok, ok, ok, ok}, nil},
		{"messages.send", "to nothing", `{"to":{"conversation":"g_none"}` + send, [basic]wire.Code{ss, no, no, no, no, no, no, no}, nil},
		{"messages.send", "to bob", `{"to":{"user":"bob"}` + send, [basic]wire.Code{ss, fb, ok, ok, ok, ok, ok, ok}, nil},
		{"messages.send", "to one nobody knows", `{"to":{"user":"who"}` + send, [basic]wire.Code{ss, fb, ok, ok, ok, ok, ok, ok}, nil},
		{"messages.list", "the group", `{"conversation":"GROUP"}`, [basic]wire.Code{ss, no, ok, no, ok, ok, ok, no}, nil},
		{"messages.list", "the direct one", `{"conversation":"DIRECT"}`, [basic]wire.Code{ss, no, ok, no, no, no, no, ok}, by(ok)},
		{"messages.list", "the lobby", `{"conversation":"lobby"}`, [basic]wire.Code{ss, ok, ok, ok, ok, ok, ok, ok}, nil},
		{"messages.list", "nothing", `{"conversation":"g_none"}`, [basic]wire.Code{ss, no, no, no, no, no, no, no}, nil},
		{"messages.read", "the group", `{"conversation":"GROUP","seq":1}`, [basic]wire.Code{ss, no, ok, no, ok, ok, ok, no}, by(no)},
		{"messages.read", "the direct one", `{"conversation":"DIRECT","seq":1}`, [basic]wire.Code{ss, no, ok, no, no, no, no, ok}, nil},
		{"messages.read", "the lobby", `{"conversation":"lobby","seq":1}`, [basic]wire.Code{ss, fb, fb, fb, fb, fb, fb, fb}, nil},
		{"messages.read", "nothing", `{"conversation":"g_none","seq":1}`, [basic]wire.Code{ss, no, no, no, no, no, no, no}, nil},
	}
}

func threadRules() []rule {
	return []rule{
		//                                                                             nobody lobby full stranger member owner former pair
		{"threads.create", "on a message of the direct one", `{"conversation":"DIRECT","seq":1,"client_id":"CID"}`, [basic]wire.Code{ss, no, ok, no, no, no, no, ok}, map[int]wire.Code{serverKey: ok}},
		{"threads.create", "on what is no message", `{"conversation":"GROUP","seq":1,"client_id":"CID"}`, [basic]wire.Code{ss, no, no, no, no, no, no, no}, nil},
		{"threads.list", "of the group", `{"conversation":"GROUP"}`, [basic]wire.Code{ss, no, ok, no, ok, ok, ok, no}, nil},
		{"threads.list", "of the direct one", `{"conversation":"DIRECT"}`, [basic]wire.Code{ss, no, ok, no, no, no, no, ok}, map[int]wire.Code{serverKey: ok}},
		{"threads.list", "of nothing", `{"conversation":"g_none"}`, [basic]wire.Code{ss, no, no, no, no, no, no, no}, nil},
		// Who is in a thread's parent: TestThreadRights of package chat.
		{"threads.follow", "none that there is", `{"thread":"t_1_GROUP"}`, [basic]wire.Code{ss, no, no, no, no, no, no, no}, nil},
		{"threads.follow", "no thread", `{"thread":"DIRECT"}`, [basic]wire.Code{ss, no, fb, no, no, no, no, fb}, map[int]wire.Code{serverKey: fb}},
		{"threads.unfollow", "none that there is", `{"thread":"t_1_GROUP"}`, [basic]wire.Code{ss, no, no, no, no, no, no, no}, nil},
	}
}

func streamRules() []rule {
	const open = `,"client_id":"CID","type":"markdown"}`
	return []rule{
		//                                                                             nobody lobby full stranger member owner former pair
		{"streams.open", "in the group", `{"to":{"conversation":"GROUP"}` + open, [basic]wire.Code{ss, no, ok, no, ok, ok, no, no}, map[int]wire.Code{muted: mu}},
		{"streams.open", "in the direct one", `{"to":{"conversation":"DIRECT"}` + open, [basic]wire.Code{ss, no, ok, no, no, no, no, ok}, by(fb)},
		{"streams.open", "in the lobby", `{"to":{"conversation":"lobby"}` + open, [basic]wire.Code{ss, ok, ok, ok, ok, ok, ok, ok}, nil},
		{"streams.open", "in nothing", `{"to":{"conversation":"g_none"}` + open, [basic]wire.Code{ss, no, no, no, no, no, no, no}, nil},
		// None of them has a stream: who has one is in the tests of package chat.
		{"streams.append", "to a message of the group", `{"conversation":"GROUP","seq":1,"offset":0,"text":"x"}`, [basic]wire.Code{ss, no, no, no, no, no, no, no}, nil},
		{"streams.append", "to a message of the direct one", `{"conversation":"DIRECT","seq":1,"offset":0,"text":"x"}`, [basic]wire.Code{ss, no, no, no, no, no, no, no}, nil},
		{"streams.finish", "a message of the group", `{"conversation":"GROUP","seq":1,"client_id":"CID"}`, [basic]wire.Code{ss, no, no, no, no, no, no, no}, nil},
		{"streams.finish", "a message of the direct one", `{"conversation":"DIRECT","seq":1,"client_id":"CID"}`, [basic]wire.Code{ss, no, no, no, no, no, no, no}, nil},
	}
}

func laterRules() []rule {
	const later = `,"client_id":"CID","content":{"type":"text","text":"hi"},"at":"2027-01-01T00:00:00Z"}`
	return []rule{
		//                                                                             nobody lobby full stranger member owner former pair
		{"signals.send", "to the group", `{"to":{"conversation":"GROUP"},"type":"wave"}`, [basic]wire.Code{ss, no, ok, no, ok, ok, no, no}, map[int]wire.Code{muted: mu}},
		{"signals.send", "to the direct one", `{"to":{"conversation":"DIRECT"},"type":"wave"}`, [basic]wire.Code{ss, no, ok, no, no, no, no, ok}, by(fb)},
		{"signals.send", "to the lobby", `{"to":{"conversation":"lobby"},"type":"wave"}`, [basic]wire.Code{ss, ok, ok, ok, ok, ok, ok, ok}, nil},
		{"signals.send", "to nothing", `{"to":{"conversation":"g_none"},"type":"wave"}`, [basic]wire.Code{ss, no, no, no, no, no, no, no}, nil},
		{"signals.send", "to one without a conversation", `{"to":{"user":"who"},"type":"wave"}`, [basic]wire.Code{ss, fb, no, no, no, no, no, no}, nil},

		{"schedule.create", "to the group", `{"to":{"conversation":"GROUP"}` + later, [basic]wire.Code{ss, fb, ok, no, ok, ok, no, no}, map[int]wire.Code{muted: mu}},
		{"schedule.create", "to the direct one", `{"to":{"conversation":"DIRECT"}` + later, [basic]wire.Code{ss, fb, ok, no, no, no, no, ok}, by(fb)},
		{"schedule.create", "to nothing", `{"to":{"conversation":"g_none"}` + later, [basic]wire.Code{ss, fb, no, no, no, no, no, no}, nil},
		{"schedule.list", "", `{}`, [basic]wire.Code{ss, ok, ok, ok, ok, ok, ok, ok}, nil},
		{"schedule.cancel", "", `{"id":"CID"}`, [basic]wire.Code{ss, ok, ok, ok, ok, ok, ok, ok}, nil},
	}
}

func roomRules() []rule {
	return []rule{
		{"rooms.create", "", `{"client_id":"CID","name":"n"}`, [basic]wire.Code{ss, fb, ok, ok, ok, ok, ok, ok}, nil},
		{"rooms.get", "the lobby", `{"room":"lobby"}`, [basic]wire.Code{ss, ok, ok, ok, ok, ok, ok, ok}, nil},
		{"rooms.get", "the group", `{"room":"GROUP"}`, [basic]wire.Code{ss, no, fb, no, fb, fb, fb, no}, nil},
		{"rooms.get", "nothing", `{"room":"g_none"}`, [basic]wire.Code{ss, no, no, no, no, no, no, no}, nil},
		{"rooms.set", "in the lobby", `{"room":"lobby","key":"k","value":"v"}`, [basic]wire.Code{ss, ok, ok, ok, ok, ok, ok, ok}, nil},
		{"rooms.set", "in the group", `{"room":"GROUP","key":"k","value":"v"}`, [basic]wire.Code{ss, no, fb, no, fb, fb, no, no}, nil},
		{"rooms.set", "in nothing", `{"room":"g_none","key":"k","value":"v"}`, [basic]wire.Code{ss, no, no, no, no, no, no, no}, nil},
		{"rooms.rules", "of the lobby", `{"room":"lobby"}`, [basic]wire.Code{ss, fb, fb, fb, fb, fb, fb, fb}, map[int]wire.Code{serverKey: ok}},
		{"rooms.rules", "of the group", `{"room":"GROUP"}`, [basic]wire.Code{ss, no, fb, no, fb, fb, no, no}, map[int]wire.Code{serverKey: fb}},
		{"rooms.rules", "of nothing", `{"room":"g_none"}`, [basic]wire.Code{ss, no, no, no, no, no, no, no}, nil},
		{"rooms.like", "the lobby", `{"room":"lobby"}`, [basic]wire.Code{ss, ok, ok, ok, ok, ok, ok, ok}, nil},
		{"rooms.like", "the group", `{"room":"GROUP"}`, [basic]wire.Code{ss, no, fb, no, fb, fb, fb, no}, nil},
		{"rooms.like", "nothing", `{"room":"g_none"}`, [basic]wire.Code{ss, no, no, no, no, no, no, no}, nil},
		//                                                                             nobody lobby full stranger member owner former pair
		{"rooms.join", "the lobby", `{"room":"lobby"}`, [basic]wire.Code{ss, ok, ok, ok, ok, ok, ok, ok}, nil},
		{"rooms.join", "the group", `{"room":"GROUP"}`, [basic]wire.Code{ss, no, fb, no, fb, fb, fb, no}, by(no)},
		{"rooms.join", "the direct one", `{"room":"DIRECT"}`, [basic]wire.Code{ss, no, fb, no, no, no, no, fb}, nil},
		{"rooms.join", "nothing", `{"room":"g_none"}`, [basic]wire.Code{ss, no, no, no, no, no, no, no}, nil},
		{"rooms.leave", "the lobby", `{"room":"lobby"}`, [basic]wire.Code{ss, ok, ok, ok, ok, ok, ok, ok}, nil},
		{"rooms.leave", "the group", `{"room":"GROUP"}`, [basic]wire.Code{ss, ok, ok, ok, ok, ok, ok, ok}, nil},
	}
}

func presenceRules() []rule {
	return []rule{
		//                                                                             nobody lobby full stranger member owner former pair
		// Whose presence is shown to whom: TestWhoSeesWhom.
		{"typing.set", "in the group", `{"conversation":"GROUP","typing":true}`, [basic]wire.Code{ss, no, ok, no, ok, ok, fb, no}, nil},
		{"typing.set", "in the direct one", `{"conversation":"DIRECT","typing":true}`, [basic]wire.Code{ss, no, ok, no, no, no, no, ok}, by(ok)},
		{"typing.set", "in the lobby", `{"conversation":"lobby","typing":true}`, [basic]wire.Code{ss, ok, ok, ok, ok, ok, ok, ok}, nil},
		{"typing.set", "in nothing", `{"conversation":"g_none","typing":true}`, [basic]wire.Code{ss, no, no, no, no, no, no, no}, nil},
		{"presence.set", "of the session", `{"state":"away"}`, [basic]wire.Code{ss, ok, ok, ok, ok, ok, ok, ok}, by(fb)},
		{"presence.set", "of the user", `{"status":"in a meeting"}`, [basic]wire.Code{ss, fb, fb, ok, ok, ok, ok, ok}, nil},
		{"presence.get", "", `{"users":["bob"]}`, [basic]wire.Code{ss, ok, ok, ok, ok, ok, ok, ok}, nil},
		{"presence.subscribe", "", `{"users":["bob"]}`, [basic]wire.Code{ss, ok, ok, ok, ok, ok, ok, ok}, nil},
		{"presence.unsubscribe", "", `{"users":["bob"]}`, [basic]wire.Code{ss, ok, ok, ok, ok, ok, ok, ok}, nil},
	}
}

func peopleRules() []rule {
	return []rule{
		//                                                                             nobody lobby full stranger member owner former pair
		{"settings.get", "", `{}`, [basic]wire.Code{ss, fb, fb, ok, ok, ok, ok, ok}, nil},
		{"settings.set", "", `{"contact":"friends"}`, [basic]wire.Code{ss, fb, fb, ok, ok, ok, ok, ok}, nil},
		{"blocks.add", "", `{"user":"who"}`, [basic]wire.Code{ss, fb, fb, ok, ok, ok, ok, ok}, nil},
		{"blocks.remove", "", `{"user":"who"}`, [basic]wire.Code{ss, fb, fb, ok, ok, ok, ok, ok}, nil},
		{"blocks.list", "", `{}`, [basic]wire.Code{ss, fb, fb, ok, ok, ok, ok, ok}, nil},
	}
}

func friendRules() []rule {
	return []rule{
		//                                                                             nobody lobby full stranger member owner former pair
		{"friends.request", "", `{"user":"who","client_id":"CID"}`, [basic]wire.Code{ss, fb, fb, ok, ok, ok, ok, ok}, nil},
		{"friends.accept", "of who has not asked", `{"user":"who"}`, [basic]wire.Code{ss, fb, fb, no, no, no, no, no}, nil},
		{"friends.reject", "of who has not asked", `{"user":"who"}`, [basic]wire.Code{ss, fb, fb, no, no, no, no, no}, nil},
		{"friends.remove", "", `{"user":"who"}`, [basic]wire.Code{ss, fb, fb, ok, ok, ok, ok, ok}, nil},
		{"friends.update", "no friend", `{"user":"who","remark":"r"}`, [basic]wire.Code{ss, fb, fb, no, no, no, no, no}, nil},
		{"friends.list", "", `{}`, [basic]wire.Code{ss, fb, fb, ok, ok, ok, ok, ok}, nil},
		{"friends.requests", "", `{}`, [basic]wire.Code{ss, fb, fb, ok, ok, ok, ok, ok}, nil},
		{"users.tag", "", `{"users":["bob"],"add":["vip"]}`, [basic]wire.Code{ss, fb, fb, fb, fb, fb, fb, fb}, by(ok)},
		{"users.tagged", "", `{"tag":"vip"}`, [basic]wire.Code{ss, fb, fb, fb, fb, fb, fb, fb}, by(ok)},
		{"users.tags", "", `{"user":"bob"}`, [basic]wire.Code{ss, fb, fb, fb, fb, fb, fb, fb}, by(ok)},
	}
}

func inboxRules() []rule {
	return []rule{
		//                                                                             nobody lobby full stranger member owner former pair
		{"conversations.unread", "", `{}`, [basic]wire.Code{ss, ok, ok, ok, ok, ok, ok, ok}, nil},
		{"prefs.order", "", `{"conversations":["GROUP"]}`, [basic]wire.Code{ss, ok, ok, ok, ok, ok, ok, ok}, nil},
		{"prefs.set", "of the group", `{"conversation":"GROUP","pinned":true}`, [basic]wire.Code{ss, no, ok, no, ok, ok, ok, no}, by(no)},
		{"prefs.set", "of the direct one", `{"conversation":"DIRECT","archived":true}`, [basic]wire.Code{ss, no, ok, no, no, no, no, ok}, by(no)},
		{"prefs.set", "of the lobby", `{"conversation":"lobby","hidden":true}`, [basic]wire.Code{ss, fb, fb, fb, fb, fb, fb, fb}, nil},
		{"prefs.set", "of nothing", `{"conversation":"g_none","notify":"none"}`, [basic]wire.Code{ss, no, no, no, no, no, no, no}, nil},
		{"drafts.set", "in the group", `{"conversation":"GROUP","content":{}}`, [basic]wire.Code{ss, no, ok, no, ok, ok, ok, no}, by(no)},
		{"drafts.set", "in the direct one", `{"conversation":"DIRECT","content":{}}`, [basic]wire.Code{ss, no, ok, no, no, no, no, ok}, by(no)},
		{"drafts.set", "in the lobby", `{"conversation":"lobby","content":{}}`, [basic]wire.Code{ss, fb, fb, fb, fb, fb, fb, fb}, nil},
		{"drafts.set", "in nothing", `{"conversation":"g_none"}`, [basic]wire.Code{ss, no, no, no, no, no, no, no}, nil},
	}
}

func syncRules() []rule {
	return []rule{
		//                                                                             nobody lobby full stranger member owner former pair
		{"sync", "", `{}`, [basic]wire.Code{ss, ok, ok, ok, ok, ok, ok, ok}, nil},
	}
}

// by gives what a server key gets where it is not what the owner does.
func by(key wire.Code) map[int]wire.Code { return map[int]wire.Code{serverKey: key} }

func keyRules() []rule {
	return []rule{
		//                                                                             nobody lobby full stranger member owner former pair
		{"keys.create", "", `{"client_id":"CID","name":"n","scopes":["read"]}`, [basic]wire.Code{ss, fb, fb, fb, fb, fb, fb, fb}, by(ok)},
		{"keys.list", "", `{}`, [basic]wire.Code{ss, fb, fb, fb, fb, fb, fb, fb}, by(ok)},
		{"users.import", "", `{"users":[{"id":"new","name":"New"}]}`, [basic]wire.Code{ss, fb, fb, fb, fb, fb, fb, fb}, by(ok)},
		{"messages.send_batch", "", `{"messages":[{"to":{"user":"bob"},"client_id":"CID","content":{"type":"text","text":"hi"}}]}`, [basic]wire.Code{ss, fb, fb, fb, fb, fb, fb, fb}, by(ok)},
		{"reports.create", "bob", `{"client_id":"CID","user":"bob","reason":"spam"}`, [basic]wire.Code{ss, ok, ok, ok, ok, ok, ok, pa}, by(ok)},
		{"reports.create", "a message of the group", `{"client_id":"CID","conversation":"GROUP","seq":1,"reason":"spam"}`, [basic]wire.Code{ss, no, no, no, no, no, no, no}, nil},
		{"reports.create", "a message of the direct one", `{"client_id":"CID","conversation":"DIRECT","seq":1,"reason":"spam"}`, [basic]wire.Code{ss, no, ok, no, no, no, no, ok}, by(ok)},
		{"reports.list", "", `{}`, [basic]wire.Code{ss, fb, fb, fb, fb, fb, fb, fb}, by(ok)},
		{"reports.resolve", "none", `{"report":"x","outcome":"acted"}`, [basic]wire.Code{ss, fb, fb, fb, fb, fb, fb, fb}, by(no)},
		{"account.delete", "sam's", `{"confirm":"sam"}`, [basic]wire.Code{ss, fb, fb, ok, pa, pa, pa, pa}, by(ok)},
		{"tokens.create", "", `{"user":"bob"}`, [basic]wire.Code{ss, fb, fb, fb, fb, fb, fb, fb}, by(ok)},
		{"keys.revoke", "none", `{"key":"x"}`, [basic]wire.Code{ss, fb, fb, fb, fb, fb, fb, fb}, by(no)},
	}
}

// scene is the fixture: a group, a direct conversation, and who is in them.
type scene struct {
	*world
	replacer *strings.Replacer
}

func newScene(t *testing.T, guests chat.Guests) *scene {
	t.Helper()
	store := memory.New()
	w, stop := newWorld(t, store, chat.GuestsFull)
	group := w.must(w.caller("olga"), "conversations.create",
		`{"kind":"group","client_id":"00000000-0000-7000-8000-000000000001","members":["mia","fred","max","adam","ada","mel","ben","guest:ann"]}`).(wire.Conversation).ID
	olga, n := w.caller("olga"), 0x10
	change := func(method, params string) {
		n++
		w.must(olga, method, fmt.Sprintf(`{"conversation":%q,"client_id":"00000000-0000-7000-8000-%012x",%s}`, group, n, params))
	}
	change("members.remove", `"users":["fred"]`)
	change("members.ban", `"users":["ben"]`)
	change("members.update", `"user":"adam","role":"admin"`)
	change("members.update", `"user":"ada","role":"admin"`)
	change("members.mute", `"users":["max"]`)
	// Message 7 of the group, and 1 of the lobby and the direct conversation.
	for n, said := range []struct{ who, to string }{{"mia", group}, {"olga", "lobby"}} {
		w.must(w.caller(chat.UserID(said.who)), "messages.send", fmt.Sprintf(
			`{"to":{"conversation":%q},"client_id":"00000000-0000-7000-8000-%012x","content":{"type":"text","text":"hi"}}`, said.to, 0x80+n))
	}
	// A room of olga's, in which adam is an admin, max is muted, and ben is banned.
	room := w.must(olga, "rooms.create", `{"client_id":"00000000-0000-7000-8000-0000000000c0","name":"n"}`).(wire.RoomState).Room
	for _, call := range [][2]string{
		{"members.update", `"user":"adam","role":"admin"`},
		{"members.mute", `"users":["max"]`},
		{"members.ban", `"users":["ben"]`},
	} {
		n++
		w.must(olga, call[0], fmt.Sprintf(`{"conversation":%q,"client_id":"00000000-0000-7000-8000-%012x",%s}`, room, n, call[1]))
	}
	// A channel of olga's, in which adam is an admin and mia and max subscribe; ben is banned.
	channel := w.must(olga, "conversations.create", `{"kind":"channel","client_id":"00000000-0000-7000-8000-0000000000c1","name":"n"}`).(wire.Conversation).ID
	for _, call := range [][2]string{
		{"members.add", `"users":["adam","mia","max"]`},
		{"members.update", `"user":"adam","role":"admin"`},
		{"members.ban", `"users":["ben"]`},
	} {
		n++
		w.must(olga, call[0], fmt.Sprintf(`{"conversation":%q,"client_id":"00000000-0000-7000-8000-%012x",%s}`, channel, n, call[1]))
	}
	direct := w.must(w.caller("guest:ann"), "messages.send",
		`{"to":{"user":"bob"},"client_id":"00000000-0000-7000-8000-000000000003","content":{"type":"text","text":"hi"}}`).(wire.Place).Conversation
	s := &scene{w, strings.NewReplacer("GROUP", group, "ROOM", room, "CHANNEL", channel, "DIRECT", direct, "CID", "00000000-0000-7000-8000-0000000000ff")}
	if guests != chat.GuestsFull {
		stop()
		s.world, _ = newWorld(t, store, guests)
	}
	return s
}

// Mutants: a row of access Anybody; DirectWith without MaySee; joined left out of
// groupOf or of the send's rights; RemoveMembers without the owner.
func TestAuthorisation(t *testing.T) {
	seen := make(map[string]bool)
	for _, r := range rules() {
		seen[r.method] = true
		t.Run(r.method+" "+r.what, func(t *testing.T) {
			t.Parallel()
			for who := range callers {
				want := r.wantOf(who)
				guests := chat.GuestsFull
				if who == lobbyist || who == nobody {
					guests = chat.GuestsLobby
				}
				s := newScene(t, guests)
				_, err := s.call(s.callerOf(who), r.method, s.replacer.Replace(r.params))
				got := ok
				if err != nil {
					got = err.Code
				}
				if got != want {
					t.Errorf("%s: got %q (%v), want %q", names()[who], got, err, want)
				}
			}
		})
	}
	for _, m := range lobbyWorld(t).table.Methods() {
		if !seen[m.Name] {
			t.Errorf("%s has no line in the table of who may call it", m.Name)
		}
	}
}

// callerOf makes the session of a caller of the table.
func (s *scene) callerOf(who int) api.Caller {
	if who == serverKey {
		return s.keyCaller(users()[who], chat.ScopeAdmin)
	}
	return s.caller(users()[who])
}

// Every row says which scope a server key needs, and no other scope does, but for admin,
// which is all. Mutants: Has answers true; admin left out of it; a row without a scope.
func TestScopes(t *testing.T) {
	s := newScene(t, chat.GuestsFull)
	keys := make(map[chat.Scope]api.Caller)
	for _, scope := range chat.Scopes() {
		keys[scope] = s.keyCaller("sam", scope)
	}
	for _, m := range s.table.Methods() {
		if m.Scope != chat.ScopeNone && !slices.Contains(chat.Scopes(), m.Scope) {
			t.Errorf("%s has the scope %q", m.Name, m.Scope)
		}
		for _, scope := range chat.Scopes() {
			may := m.Scope == chat.ScopeNone || m.Scope == scope || scope == chat.ScopeAdmin
			// What is refused for its parameters was let in.
			_, err := s.call(keys[scope], m.Name, `{"no such":1}`)
			if refused := err != nil && err.Code == wire.CodeScope; refused == may {
				t.Errorf("%s with the scope %s: %v", m.Name, scope, err)
			}
		}
	}
}

// What is not for the caller is answered, byte for byte, like what is not there. Mutant:
// groupOf answers forbidden to strangers.
func TestNotThereAndNotForYouAreAlike(t *testing.T) {
	s := newScene(t, chat.GuestsLobby)
	answer := func(u chat.UserID, method, params string) string {
		_, err := s.call(s.caller(u), method, s.replacer.Replace(params))
		if err == nil {
			t.Errorf("%s %s was answered to %s", method, params, u)
			return ""
		}
		return string(wire.AppendError(nil, nil, err))
	}
	for _, r := range rules() {
		if !strings.Contains(r.params, "GROUP") && !strings.Contains(r.params, "DIRECT") {
			continue
		}
		for _, who := range []int{lobbyist, stranger} {
			if r.want[who] != no {
				continue
			}
			u := users()[who]
			nothing := strings.NewReplacer("GROUP", "g_none", "DIRECT", "g_none").Replace(r.params)
			if got, want := answer(u, r.method, r.params), answer(u, r.method, nothing); got != want {
				t.Errorf("%s %s to %s:\n%s\nand of what is not there\n%s", r.method, r.what, names()[who], got, want)
			}
		}
	}
	const send = `,"client_id":"CID","content":{"type":"text","text":"hi"}}`
	if got, want := answer("guest:ann", "messages.send", `{"to":{"user":"bob"}`+send), answer("guest:ann", "messages.send", `{"to":{"user":"who"}`+send); got != want {
		t.Errorf("whom a guest knows is told: %s and %s", got, want)
	}
}

// A former member's view holds nothing from after its removal.
func TestFormerMemberSeesThePast(t *testing.T) {
	s := newScene(t, chat.GuestsFull)
	fred := s.caller("fred")
	before := s.must(fred, "conversations.get", s.replacer.Replace(`{"conversation":"GROUP"}`)).(wire.Conversation)
	if before.Membership != "left" || before.ToSeq != 2 || before.Members != 0 || before.Count != 0 || before.Rev != 0 || before.Role != "" {
		t.Errorf("got %+v", before)
	}
	olga := s.caller("olga")
	s.must(olga, "messages.send", s.replacer.Replace(`{"to":{"conversation":"GROUP"},"client_id":"CID","content":{"type":"text","text":"hi"}}`))
	s.must(s.caller("mia"), "messages.read", s.replacer.Replace(`{"conversation":"GROUP","seq":3}`))
	s.must(olga, "members.add", s.replacer.Replace(`{"conversation":"GROUP","client_id":"00000000-0000-7000-8000-0000000000aa","users":["new"]}`))
	after := s.must(fred, "conversations.get", s.replacer.Replace(`{"conversation":"GROUP"}`)).(wire.Conversation)
	want, got := asJSON(t, before), asJSON(t, after)
	if got != want {
		t.Errorf("before\n%s\nafter\n%s", want, got)
	}
}
