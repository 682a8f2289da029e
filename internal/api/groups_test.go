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
		{"groups.mute", "the lobby", `{"conversation":"lobby"` + cid + `}`, [basic]wire.Code{ss, fb, fb, fb, fb, fb, fb, fb}, nil},
		{"groups.unmute", "", `{"conversation":"GROUP"` + cid + `}`, [basic]wire.Code{ss, no, fb, no, fb, ok, no, no}, adminToo()},
		{"groups.unmute", "nothing", `{"conversation":"g_none"` + cid + `}`, [basic]wire.Code{ss, no, no, no, no, no, no, no}, nil},
	}
}
