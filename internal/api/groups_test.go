package api_test

import "github.com/linnet-im/linnet/wire"

// adminToo is for what a member may not and an admin may.
func adminToo() map[int]wire.Code { return map[int]wire.Code{admin: ok} }

func groupRules() []rule {
	const cid = `,"client_id":"CID"`
	return []rule{
		//                                                                             nobody lobby full stranger member owner former pair
		{"members.update", "a role", `{"conversation":"GROUP","user":"mel","role":"admin"` + cid + `}`, [basic]wire.Code{ss, no, fb, no, fb, ok, no, no}, nil},
		{"members.update", "one's nickname", `{"conversation":"GROUP","user":"mel","nickname":"M"` + cid + `}`, [basic]wire.Code{ss, no, fb, no, fb, ok, no, no}, adminToo()},
		{"members.update", "in the direct one", `{"conversation":"DIRECT","user":"bob","nickname":"B"` + cid + `}`, [basic]wire.Code{ss, no, fb, no, no, no, no, fb}, by(fb)},
		{"members.update", "in nothing", `{"conversation":"g_none","user":"mel","role":"admin"` + cid + `}`, [basic]wire.Code{ss, no, no, no, no, no, no, no}, nil},
		{"members.mute", "a member", `{"conversation":"GROUP","users":["mel"]` + cid + `}`, [basic]wire.Code{ss, no, fb, no, fb, ok, no, no}, adminToo()},
		{"members.mute", "an admin", `{"conversation":"GROUP","users":["ada"]` + cid + `}`, [basic]wire.Code{ss, no, fb, no, fb, ok, no, no}, nil},
		{"members.mute", "in nothing", `{"conversation":"g_none","users":["mel"]` + cid + `}`, [basic]wire.Code{ss, no, no, no, no, no, no, no}, nil},
		{"members.unmute", "a member", `{"conversation":"GROUP","users":["max"]` + cid + `}`, [basic]wire.Code{ss, no, fb, no, fb, ok, no, no}, adminToo()},
		{"members.ban", "a member", `{"conversation":"GROUP","users":["mel"]` + cid + `}`, [basic]wire.Code{ss, no, fb, no, fb, ok, no, no}, adminToo()},
		{"members.ban", "an admin", `{"conversation":"GROUP","users":["ada"]` + cid + `}`, [basic]wire.Code{ss, no, fb, no, fb, ok, no, no}, nil},
		{"members.ban", "in nothing", `{"conversation":"g_none","users":["mel"]` + cid + `}`, [basic]wire.Code{ss, no, no, no, no, no, no, no}, nil},
		{"members.unban", "", `{"conversation":"GROUP","users":["ben"]` + cid + `}`, [basic]wire.Code{ss, no, fb, no, fb, ok, no, no}, adminToo()},
		{"members.bans", "", `{"conversation":"GROUP"}`, [basic]wire.Code{ss, no, fb, no, fb, ok, fb, no}, adminToo()},
		{"members.bans", "of the direct one", `{"conversation":"DIRECT"}`, [basic]wire.Code{ss, no, fb, no, no, no, no, fb}, by(fb)},
		{"groups.mute", "", `{"conversation":"GROUP"` + cid + `}`, [basic]wire.Code{ss, no, fb, no, fb, ok, no, no}, adminToo()},
		{"groups.mute", "the lobby", `{"conversation":"lobby"` + cid + `}`, [basic]wire.Code{ss, fb, fb, fb, fb, fb, fb, fb}, by(ok)},
		{"groups.unmute", "", `{"conversation":"GROUP"` + cid + `}`, [basic]wire.Code{ss, no, fb, no, fb, ok, no, no}, adminToo()},
		{"groups.update", "the name", `{"conversation":"GROUP","name":"N"` + cid + `}`, [basic]wire.Code{ss, no, fb, no, fb, ok, no, no}, adminToo()},
		{"groups.update", "settings", `{"conversation":"GROUP","settings":{"join":"open"}` + cid + `}`, [basic]wire.Code{ss, no, fb, no, fb, ok, no, no}, adminToo()},
		{"groups.update", "the direct one", `{"conversation":"DIRECT","name":"N"` + cid + `}`, [basic]wire.Code{ss, no, fb, no, no, no, no, fb}, by(fb)},
		{"groups.update", "the lobby", `{"conversation":"lobby","name":"N"` + cid + `}`, [basic]wire.Code{ss, fb, fb, fb, fb, fb, fb, fb}, by(ok)},
		{"groups.update", "nothing", `{"conversation":"g_none","name":"N"` + cid + `}`, [basic]wire.Code{ss, no, no, no, no, no, no, no}, nil},
		{"groups.transfer", "", `{"conversation":"GROUP","user":"mel"` + cid + `}`, [basic]wire.Code{ss, no, fb, no, fb, ok, no, no}, nil},
		{"groups.transfer", "nothing", `{"conversation":"g_none","user":"mel"` + cid + `}`, [basic]wire.Code{ss, no, no, no, no, no, no, no}, nil},
		{"groups.dismiss", "", `{"conversation":"GROUP"` + cid + `}`, [basic]wire.Code{ss, no, fb, no, fb, ok, no, no}, nil},
		{"groups.dismiss", "the direct one", `{"conversation":"DIRECT"` + cid + `}`, [basic]wire.Code{ss, no, fb, no, no, no, no, fb}, by(fb)},
		{"groups.dismiss", "nothing", `{"conversation":"g_none"` + cid + `}`, [basic]wire.Code{ss, no, no, no, no, no, no, no}, nil},
		// Open groups and those with approval: TestJoining.
		{"groups.join", "by invitation", `{"conversation":"GROUP"` + cid + `}`, [basic]wire.Code{ss, no, ok, no, ok, ok, fb, no}, nil},
		{"groups.join", "the direct one", `{"conversation":"DIRECT"` + cid + `}`, [basic]wire.Code{ss, no, fb, no, no, no, no, fb}, nil},
		{"groups.join", "the lobby", `{"conversation":"lobby"` + cid + `}`, [basic]wire.Code{ss, no, fb, fb, fb, fb, fb, fb}, nil},
		{"groups.join", "nothing", `{"conversation":"g_none"` + cid + `}`, [basic]wire.Code{ss, no, no, no, no, no, no, no}, nil},
		{"groups.requests", "", `{"conversation":"GROUP"}`, [basic]wire.Code{ss, no, fb, no, fb, ok, fb, no}, adminToo()},
		{"groups.requests", "of nothing", `{"conversation":"g_none"}`, [basic]wire.Code{ss, no, no, no, no, no, no, no}, nil},
		{"groups.approve", "", `{"conversation":"GROUP","users":["sam"]` + cid + `}`, [basic]wire.Code{ss, no, fb, no, fb, ok, no, no}, adminToo()},
		{"groups.approve", "in nothing", `{"conversation":"g_none","users":["sam"]` + cid + `}`, [basic]wire.Code{ss, no, no, no, no, no, no, no}, nil},
		{"groups.reject", "", `{"conversation":"GROUP","users":["sam"]}`, [basic]wire.Code{ss, no, fb, no, fb, ok, no, no}, adminToo()},
		{"groups.reject", "in nothing", `{"conversation":"g_none","users":["sam"]}`, [basic]wire.Code{ss, no, no, no, no, no, no, no}, nil},
		{"groups.unmute", "nothing", `{"conversation":"g_none"` + cid + `}`, [basic]wire.Code{ss, no, no, no, no, no, no, no}, nil},
	}
}

func receiptRules() []rule {
	return []rule{
		//                                                                             nobody lobby full stranger member owner former pair
		{"receipts.list", "in the group", `{"conversation":"GROUP","seq":1}`, [basic]wire.Code{ss, no, ok, no, ok, ok, fb, no}, nil},
		{"receipts.list", "of what is to come", `{"conversation":"GROUP","seq":99}`, [basic]wire.Code{ss, no, no, no, no, no, fb, no}, nil},
		{"receipts.list", "in the direct one", `{"conversation":"DIRECT","seq":1}`, [basic]wire.Code{ss, no, ok, no, no, no, no, ok}, by(ok)},
		{"receipts.list", "in the lobby", `{"conversation":"lobby","seq":1}`, [basic]wire.Code{ss, fb, fb, fb, fb, fb, fb, fb}, nil},
		{"receipts.list", "in nothing", `{"conversation":"g_none","seq":1}`, [basic]wire.Code{ss, no, no, no, no, no, no, no}, nil},
		{"receipts.count", "in the group", `{"conversation":"GROUP","seq":1}`, [basic]wire.Code{ss, no, ok, no, ok, ok, fb, no}, nil},
		{"receipts.count", "in the direct one", `{"conversation":"DIRECT","seq":1}`, [basic]wire.Code{ss, no, ok, no, no, no, no, ok}, by(ok)},
		{"receipts.count", "in nothing", `{"conversation":"g_none","seq":1}`, [basic]wire.Code{ss, no, no, no, no, no, no, no}, nil},
	}
}
