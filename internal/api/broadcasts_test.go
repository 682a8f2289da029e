package api_test

import "github.com/linnet-im/linnet/wire"

func broadcastRules() []rule {
	keys := [basic]wire.Code{ss, fb, fb, fb, fb, fb, fb, fb}
	return []rule{
		{"broadcasts.create", "", `{"client_id":"CID","from":"news","to":{"all":true},"content":{"type":"text","text":"hi"}}`, keys, by(ok)},
		{"broadcasts.create", "to nobody", `{"client_id":"CID","from":"news","to":{},"content":{"type":"text","text":"hi"}}`, keys, by(pa)},
		{"broadcasts.create", "to all and a tag", `{"client_id":"CID","from":"news","to":{"all":true,"tag":"vip"},"content":{"type":"text","text":"hi"}}`, keys, by(pa)},
		{"broadcasts.get", "none", `{"id":"x"}`, keys, by(no)},
		{"broadcasts.list", "", `{}`, keys, by(ok)},
		{"broadcasts.cancel", "none", `{"id":"x"}`, keys, by(no)},
	}
}
