package api_test

import "github.com/linnet-im/linnet/wire"

func changeRules() []rule {
	const content = `,"client_id":"CID","content":{"type":"text","text":"better"}}`
	return []rule{
		//                                                                             nobody lobby full stranger member owner former pair
		{"messages.edit", "the member's in the group", `{"conversation":"GROUP","seq":7` + content, [basic]wire.Code{ss, no, fb, no, ok, fb, no, no}, map[int]wire.Code{serverKey: ok, muted: fb, admin: fb}},
		{"messages.edit", "none in the group", `{"conversation":"GROUP","seq":1` + content, [basic]wire.Code{ss, no, no, no, no, no, no, no}, nil},
		{"messages.edit", "the guest's in the direct one", `{"conversation":"DIRECT","seq":1` + content, [basic]wire.Code{ss, no, ok, no, no, no, no, fb}, by(ok)},
		{"messages.edit", "the owner's in the lobby", `{"conversation":"lobby","seq":1` + content, [basic]wire.Code{ss, fb, fb, fb, fb, ok, fb, fb}, nil},
		{"messages.edit", "in nothing", `{"conversation":"g_none","seq":1` + content, [basic]wire.Code{ss, no, no, no, no, no, no, no}, nil},
		{"messages.versions", "in the group", `{"conversation":"GROUP","seq":7}`, [basic]wire.Code{ss, no, ok, no, ok, ok, no, no}, nil},
		{"messages.versions", "in the direct one", `{"conversation":"DIRECT","seq":1}`, [basic]wire.Code{ss, no, ok, no, no, no, no, ok}, by(ok)},
		{"messages.versions", "in the lobby", `{"conversation":"lobby","seq":1}`, [basic]wire.Code{ss, ok, ok, ok, ok, ok, ok, ok}, nil},
		{"messages.recall", "the member's in the group", `{"conversation":"GROUP","seq":7,"client_id":"CID"}`, [basic]wire.Code{ss, no, fb, no, ok, ok, no, no}, map[int]wire.Code{muted: fb, admin: ok}},
		{"messages.recall", "the guest's in the direct one", `{"conversation":"DIRECT","seq":1,"client_id":"CID"}`, [basic]wire.Code{ss, no, ok, no, no, no, no, fb}, by(ok)},
		{"messages.recall", "the owner's in the lobby", `{"conversation":"lobby","seq":1,"client_id":"CID"}`, [basic]wire.Code{ss, fb, fb, fb, fb, ok, fb, fb}, nil},
		{"messages.recall", "in nothing", `{"conversation":"g_none","seq":1,"client_id":"CID"}`, [basic]wire.Code{ss, no, no, no, no, no, no, no}, nil},
	}
}
