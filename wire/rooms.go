package wire

import "github.com/go-json-experiment/json/jsontext"

// RoomCreateParams are those of rooms.create.
type RoomCreateParams struct {
	ClientID string `json:"client_id" doc:"a UUID; the same one twice is the same room"`
	Name     string `json:"name" doc:"1 to 64 characters"`
}

// RoomParams name a room.
type RoomParams struct {
	Room string `json:"room"`
}

// RoomJoinParams are those of rooms.join.
type RoomJoinParams struct {
	Room string `json:"room"`
	Last int    `json:"last,omitzero" doc:"answer so many of the newest messages too, at most 50"`
}

// RoomResult answers rooms.join.
type RoomResult struct {
	Room       string           `json:"room"`
	HeadSeq    int64            `json:"head_seq"`
	Online     int              `json:"online"`
	FromSeq    int64            `json:"from_seq,omitzero" doc:"with last: the range up to head_seq that events cover"`
	Events     []jsontext.Value `json:"events,omitzero" doc:"with last: as messages.list answers them with view messages"`
	Attributes []Attribute      `json:"attributes,omitzero"`
}

// RoomGetParams are those of rooms.get.
type RoomGetParams struct {
	Room   string `json:"room"`
	Sample int    `json:"sample,omitzero" doc:"name so many of those who are there, any of them, at most 100; 20 when absent"`
}

// RoomState answers rooms.get.
type RoomState struct {
	Room       string      `json:"room"`
	Name       string      `json:"name"`
	HeadSeq    int64       `json:"head_seq"`
	Online     int         `json:"online" doc:"users who are there now"`
	Sample     []string    `json:"sample" doc:"user ids"`
	Likes      int64       `json:"likes"`
	Attributes []Attribute `json:"attributes"`
	Role       string      `json:"role,omitzero" doc:"of the caller: owner or admin"`
	Staff      []Staff     `json:"staff,omitzero" doc:"the owner, who comes first, and the admins"`
	Dismissed  bool        `json:"dismissed,omitzero"`
	MuteAll    *MuteAll    `json:"mute_all,omitzero"`
	SlowModeMS int64       `json:"slow_mode_ms,omitzero"`

	Picture      string `json:"picture,omitzero" doc:"a URL"`
	Announcement string `json:"announcement,omitzero"`

	Users []string `json:"users,omitzero" doc:"whose messages always go through"`
	Types []string `json:"types,omitzero" doc:"of content, whose messages always go through"`
}

// Staff is who manages a room.
type Staff struct {
	User string `json:"user"`
	Role string `json:"role" doc:"owner or admin"`
}

// RoomRemoved is the notification room.removed: this session is in the room no more.
type RoomRemoved struct {
	Room   string `json:"room"`
	Reason string `json:"reason" doc:"banned or dismissed"`
}

// Attribute is a named value of a room.
type Attribute struct {
	Key   string `json:"key"`
	Value string `json:"value"`
	Owner string `json:"owner" doc:"who set it last"`
	Rev   int64  `json:"rev" doc:"1, 2, 3… with each setting"`
	Open  bool   `json:"open,omitzero" doc:"everybody may change it"`
	Until bool   `json:"until,omitzero" doc:"it goes when its owner leaves the room"`
}

// AttributeSetParams are those of rooms.set.
type AttributeSetParams struct {
	Room  string  `json:"room"`
	Key   string  `json:"key" doc:"1 to 128 bytes"`
	Value *string `json:"value,omitzero" doc:"at most 4,096 bytes; absent: the attribute is removed"`
	IfRev *int64  `json:"if_rev,omitzero" doc:"only if the attribute has this rev, 0 for one that is not there; else stale"`
	Open  bool    `json:"open,omitzero" doc:"everybody may change it; else its owner and the room's staff"`
	Until bool    `json:"until,omitzero" doc:"it goes when the caller leaves the room, within a minute also when the server was killed"`
}

// AttributeSetResult answers rooms.set.
type AttributeSetResult struct {
	Rev int64 `json:"rev" doc:"0: it is not there"`
}

// RoomAttributes is the notification room.attributes: what was set or removed.
type RoomAttributes struct {
	Room    string      `json:"room"`
	Set     []Attribute `json:"set,omitzero"`
	Removed []string    `json:"removed,omitzero"`
}

// RoomRulesParams are those of rooms.rules.
type RoomRulesParams struct {
	Room  string   `json:"room"`
	Users []string `json:"users,omitzero" doc:"whose messages always go through, at most 100"`
	Types []string `json:"types,omitzero" doc:"of content, whose messages always go through, at most 20"`
}

// LikeParams are those of rooms.like.
type LikeParams struct {
	Room  string `json:"room"`
	Likes int    `json:"likes,omitzero" doc:"how many, 1 to 100; 1 when absent"`
}

// RoomLikes is the notification room.likes, at most one a second and room.
type RoomLikes struct {
	Room  string `json:"room"`
	Added int64  `json:"added"`
	Total int64  `json:"total"`
}

// RoomMembers is the notification room.members, at most one a second and room.
type RoomMembers struct {
	Room   string   `json:"room"`
	Joined []string `json:"joined,omitzero" doc:"at most 20 user ids"`
	Left   []string `json:"left,omitzero" doc:"at most 20 user ids"`
	Online int      `json:"online"`
}
