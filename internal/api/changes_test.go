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
		{"messages.open", "one in the group that does not burn", `{"conversation":"GROUP","seq":7,"client_id":"CID"}`, [basic]wire.Code{ss, no, fb, no, fb, fb, no, no}, by(fb)},
		{"messages.open", "one in the direct one that does not burn", `{"conversation":"DIRECT","seq":1,"client_id":"CID"}`, [basic]wire.Code{ss, no, fb, no, no, no, no, fb}, by(fb)},
		{"messages.open", "in nothing", `{"conversation":"g_none","seq":1,"client_id":"CID"}`, [basic]wire.Code{ss, no, no, no, no, no, no, no}, nil},
		{"messages.recall", "the member's in the group", `{"conversation":"GROUP","seq":7,"client_id":"CID"}`, [basic]wire.Code{ss, no, fb, no, ok, ok, no, no}, map[int]wire.Code{muted: fb, admin: ok}},
		{"messages.recall", "the guest's in the direct one", `{"conversation":"DIRECT","seq":1,"client_id":"CID"}`, [basic]wire.Code{ss, no, ok, no, no, no, no, fb}, by(ok)},
		{"messages.recall", "the owner's in the lobby", `{"conversation":"lobby","seq":1,"client_id":"CID"}`, [basic]wire.Code{ss, fb, fb, fb, fb, ok, fb, fb}, nil},
		{"messages.delete", "in the group", `{"conversation":"GROUP","ranges":[[7,7]]}`, [basic]wire.Code{ss, no, ok, no, ok, ok, ok, no}, by(fb)},
		{"messages.delete", "in the direct one", `{"conversation":"DIRECT","ranges":[[1,1]]}`, [basic]wire.Code{ss, no, ok, no, no, no, no, ok}, by(fb)},
		{"messages.delete", "in the lobby", `{"conversation":"lobby","ranges":[[1,1]]}`, [basic]wire.Code{ss, fb, fb, fb, fb, fb, fb, fb}, nil},
		{"messages.delete", "in nothing", `{"conversation":"g_none","ranges":[[1,1]]}`, [basic]wire.Code{ss, no, no, no, no, no, no, no}, nil},
		{"conversations.clear", "the group", `{"conversation":"GROUP"}`, [basic]wire.Code{ss, no, ok, no, ok, ok, ok, no}, by(fb)},
		{"conversations.clear", "nothing", `{"conversation":"g_none"}`, [basic]wire.Code{ss, no, no, no, no, no, no, no}, nil},
		{"messages.purge", "in the group", `{"conversation":"GROUP","client_id":"CID","ranges":[[1,9]]}`, [basic]wire.Code{ss, no, fb, no, fb, ok, no, no}, map[int]wire.Code{admin: ok}},
		{"messages.purge", "in the direct one", `{"conversation":"DIRECT","client_id":"CID","ranges":[[1,1]]}`, [basic]wire.Code{ss, no, fb, no, no, no, no, fb}, by(ok)},
		{"messages.purge", "in the lobby", `{"conversation":"lobby","client_id":"CID","ranges":[[1,1]]}`, [basic]wire.Code{ss, fb, fb, fb, fb, fb, fb, fb}, by(ok)},
		{"reactions.set", "in the group", `{"conversation":"GROUP","seq":7,"emoji":"👍","on":true}`, [basic]wire.Code{ss, no, ok, no, ok, ok, no, no}, map[int]wire.Code{muted: mu}},
		{"reactions.set", "in the direct one", `{"conversation":"DIRECT","seq":1,"emoji":"👍","on":true}`, [basic]wire.Code{ss, no, ok, no, no, no, no, ok}, by(ok)},
		{"reactions.set", "in the lobby", `{"conversation":"lobby","seq":1,"emoji":"👍","on":true}`, [basic]wire.Code{ss, ok, ok, ok, ok, ok, ok, ok}, nil},
		{"reactions.set", "in nothing", `{"conversation":"g_none","seq":1,"emoji":"👍","on":true}`, [basic]wire.Code{ss, no, no, no, no, no, no, no}, nil},
		{"reactions.list", "in the group", `{"conversation":"GROUP","seq":7}`, [basic]wire.Code{ss, no, ok, no, ok, ok, no, no}, nil},
		{"reactions.list", "in the direct one", `{"conversation":"DIRECT","seq":1}`, [basic]wire.Code{ss, no, ok, no, no, no, no, ok}, by(ok)},
		{"reactions.list", "in nothing", `{"conversation":"g_none","seq":1}`, [basic]wire.Code{ss, no, no, no, no, no, no, no}, nil},
		{"messages.pin", "in the group", `{"conversation":"GROUP","seq":7,"client_id":"CID"}`, [basic]wire.Code{ss, no, fb, no, fb, ok, no, no}, map[int]wire.Code{admin: ok}},
		{"messages.pin", "in the direct one", `{"conversation":"DIRECT","seq":1,"client_id":"CID"}`, [basic]wire.Code{ss, no, ok, no, no, no, no, ok}, by(ok)},
		{"messages.pin", "in the lobby", `{"conversation":"lobby","seq":1,"client_id":"CID"}`, [basic]wire.Code{ss, fb, fb, fb, fb, fb, fb, fb}, by(ok)},
		{"messages.pin", "in nothing", `{"conversation":"g_none","seq":1,"client_id":"CID"}`, [basic]wire.Code{ss, no, no, no, no, no, no, no}, nil},
		{"messages.unpin", "in the group", `{"conversation":"GROUP","seq":7,"client_id":"CID"}`, [basic]wire.Code{ss, no, fb, no, fb, ok, no, no}, map[int]wire.Code{admin: ok}},
		{"messages.unpin", "in nothing", `{"conversation":"g_none","seq":1,"client_id":"CID"}`, [basic]wire.Code{ss, no, no, no, no, no, no, no}, nil},
		{"messages.set_values", "of a message that has none", `{"conversation":"GROUP","seq":7,"client_id":"CID","set":{"a":1}}`, [basic]wire.Code{ss, no, fb, no, fb, fb, no, no}, nil},
		{"messages.set_values", "in nothing", `{"conversation":"g_none","seq":7,"client_id":"CID","set":{"a":1}}`, [basic]wire.Code{ss, no, no, no, no, no, no, no}, nil},
		{"messages.forward", "from the group", `{"conversation":"GROUP","seqs":[7],"client_id":"CID","to":{"conversation":"lobby"}}`, [basic]wire.Code{ss, no, ok, no, ok, ok, no, no}, nil},
		{"messages.forward", "from the lobby to the group", `{"conversation":"lobby","seqs":[1],"client_id":"CID","to":{"conversation":"GROUP"}}`, [basic]wire.Code{ss, no, ok, no, ok, ok, no, no}, map[int]wire.Code{muted: mu}},
		{"messages.forward", "from the lobby to bob", `{"conversation":"lobby","seqs":[1],"client_id":"CID","to":{"user":"bob"}}`, [basic]wire.Code{ss, fb, ok, ok, ok, ok, ok, ok}, nil},
		{"messages.forward", "from nothing", `{"conversation":"g_none","seqs":[7],"client_id":"CID","to":{"conversation":"lobby"}}`, [basic]wire.Code{ss, no, no, no, no, no, no, no}, nil},
		{"messages.purge", "in nothing", `{"conversation":"g_none","client_id":"CID","ranges":[[1,1]]}`, [basic]wire.Code{ss, no, no, no, no, no, no, no}, nil},
		{"messages.recall", "in nothing", `{"conversation":"g_none","seq":1,"client_id":"CID"}`, [basic]wire.Code{ss, no, no, no, no, no, no, no}, nil},
	}
}
