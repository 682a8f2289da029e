package api_test

import "github.com/linnet-im/linnet/wire"

// inRoom says who gets something else than a stranger in the fixture's room: its staff, and
// who is banned from it, whoever calls.
func inRoom(staff wire.Code, quiet wire.Code) map[int]wire.Code {
	return map[int]wire.Code{admin: staff, serverKey: staff, muted: quiet, banned: no}
}

// moderationRules are those of a room that was made by somebody.
func moderationRules() []rule {
	const cid = `,"client_id":"CID"`
	const send = cid + `,"content":{"type":"text","text":"hi"}}`
	all := [basic]wire.Code{ss, ok, ok, ok, ok, ok, ok, ok}
	owns := [basic]wire.Code{ss, fb, fb, fb, fb, ok, fb, fb}
	only := map[int]wire.Code{banned: no}
	return []rule{
		//                                             nobody lobby full stranger member owner former pair
		{"messages.send", "to a room", `{"to":{"conversation":"ROOM"}` + send, all, inRoom(ok, mu)},
		{"messages.list", "of a room", `{"conversation":"ROOM"}`, all, only},
		{"conversations.get", "a room", `{"conversation":"ROOM"}`, all, only},
		{"rooms.get", "a room", `{"room":"ROOM"}`, all, only},
		{"rooms.join", "a room", `{"room":"ROOM"}`, all, only},
		{"rooms.like", "a room", `{"room":"ROOM"}`, all, inRoom(ok, mu)},
		{"rooms.set", "in a room", `{"room":"ROOM","key":"k","value":"v"}`, all, inRoom(ok, mu)},
		{"rooms.rules", "of a room", `{"room":"ROOM"}`, owns, inRoom(ok, fb)},
		{"members.update", "in a room", `{"conversation":"ROOM","user":"mel","role":"admin"` + cid + `}`, owns, map[int]wire.Code{banned: no}},
		{"members.mute", "in a room", `{"conversation":"ROOM","users":["mel"]` + cid + `}`, owns, inRoom(ok, fb)},
		{"members.unmute", "in a room", `{"conversation":"ROOM","users":["max"]` + cid + `}`, owns, inRoom(ok, fb)},
		{"members.ban", "from a room", `{"conversation":"ROOM","users":["mel","guest:zoe"]` + cid + `}`, owns, inRoom(ok, fb)},
		{"members.unban", "from a room", `{"conversation":"ROOM","users":["ben"]` + cid + `}`, owns, inRoom(ok, fb)},
		{"members.bans", "of a room", `{"conversation":"ROOM"}`, owns, inRoom(ok, fb)},
		{"members.add", "to a room", `{"conversation":"ROOM","users":["mel"]` + cid + `}`, [basic]wire.Code{ss, fb, fb, fb, fb, fb, fb, fb}, only},
		{"groups.update", "a room", `{"conversation":"ROOM","announcement":"A"` + cid + `}`, owns, inRoom(ok, fb)},
		{"groups.mute", "a room", `{"conversation":"ROOM"` + cid + `}`, owns, inRoom(ok, fb)},
		{"groups.unmute", "a room", `{"conversation":"ROOM"` + cid + `}`, owns, inRoom(ok, fb)},
		{"groups.transfer", "a room", `{"conversation":"ROOM","user":"mel"` + cid + `}`, owns, map[int]wire.Code{banned: no}},
		{"groups.dismiss", "a room", `{"conversation":"ROOM"` + cid + `}`, owns, map[int]wire.Code{banned: no}},
		{"members.mute", "in the lobby", `{"conversation":"lobby","users":["mel"]` + cid + `}`, [basic]wire.Code{ss, fb, fb, fb, fb, fb, fb, fb}, by(ok)},
		{"members.ban", "from the lobby", `{"conversation":"lobby","users":["mel"]` + cid + `}`, [basic]wire.Code{ss, fb, fb, fb, fb, fb, fb, fb}, by(ok)},
		{"groups.dismiss", "the lobby", `{"conversation":"lobby"` + cid + `}`, [basic]wire.Code{ss, fb, fb, fb, fb, fb, fb, fb}, nil},
	}
}
