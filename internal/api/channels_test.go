package api_test

import "github.com/linnet-im/linnet/wire"

// channelRules are those of a channel: adam is an admin of it, mia and max subscribe.
func channelRules() []rule {
	const cid = `,"client_id":"CID"`
	const send = cid + `,"content":{"type":"text","text":"hi"}}`
	reads := [basic]wire.Code{ss, no, no, no, ok, ok, no, no}
	staff := [basic]wire.Code{ss, no, no, no, fb, ok, no, no}
	return []rule{
		//                                       nobody lobby full stranger member owner former pair
		{"conversations.create", "a channel", `{"kind":"channel","name":"n"` + cid + `}`, [basic]wire.Code{ss, fb, ok, ok, ok, ok, ok, ok}, nil},
		{"messages.send", "to a channel", `{"to":{"conversation":"CHANNEL"}` + send, staff, adminToo()},
		{"messages.list", "of a channel", `{"conversation":"CHANNEL"}`, reads, nil},
		{"members.list", "of a channel", `{"conversation":"CHANNEL"}`, staff, adminToo()},
		{"members.add", "to a channel", `{"conversation":"CHANNEL","users":["mel"]` + cid + `}`, staff, adminToo()},
		{"members.bans", "of a channel", `{"conversation":"CHANNEL"}`, staff, adminToo()},
		{"members.mute", "in a channel", `{"conversation":"CHANNEL","users":["max"]` + cid + `}`, [basic]wire.Code{ss, no, no, no, fb, fb, no, no}, nil},
		{"groups.join", "a channel", `{"conversation":"CHANNEL"` + cid + `}`, [basic]wire.Code{ss, no, ok, ok, ok, ok, ok, ok}, map[int]wire.Code{banned: no}},
		{"groups.update", "a channel", `{"conversation":"CHANNEL","name":"N"` + cid + `}`, staff, adminToo()},
		{"groups.dismiss", "a channel", `{"conversation":"CHANNEL"` + cid + `}`, staff, nil},
		{"conversations.leave", "a channel", `{"conversation":"CHANNEL"` + cid + `}`, [basic]wire.Code{ss, no, no, no, ok, fb, no, no}, by(no)},
	}
}
