package wire

// MemberUpdateParams are those of members.update: what is absent stays.
type MemberUpdateParams struct {
	Conversation string  `json:"conversation"`
	ClientID     string  `json:"client_id" doc:"a UUID; the same one twice is the same change"`
	User         string  `json:"user"`
	Role         *string `json:"role,omitzero" doc:"admin or member; the owner's to give"`
	Nickname     *string `json:"nickname,omitzero" doc:"one's own, or that of one below oneself; 1 to 64 characters, empty for none"`
}

// MembersMuteParams are those of members.mute.
type MembersMuteParams struct {
	Conversation string   `json:"conversation"`
	ClientID     string   `json:"client_id" doc:"a UUID; the same one twice is the same change"`
	Users        []string `json:"users" doc:"1 to 1,000"`
	Until        string   `json:"until,omitzero" doc:"RFC 3339; absent: until it is ended"`
}

// MembersBanParams are those of members.ban.
type MembersBanParams struct {
	Conversation string   `json:"conversation"`
	ClientID     string   `json:"client_id" doc:"a UUID; the same one twice is the same change"`
	Users        []string `json:"users" doc:"1 to 1,000; they need not be in the group"`
	Until        string   `json:"until,omitzero" doc:"RFC 3339; absent: until it is lifted"`
	Reason       string   `json:"reason,omitzero" doc:"at most 200 characters, for those who manage the group"`
}

// BansResult answers members.bans: ordered by user id.
type BansResult struct {
	Bans []Ban `json:"bans"`
	More bool  `json:"more,omitzero"`
}

// Ban keeps a user out of a group.
type Ban struct {
	User   string `json:"user"`
	By     string `json:"by"`
	Time   string `json:"time"`
	Until  string `json:"until,omitzero" doc:"absent: until it is lifted"`
	Reason string `json:"reason,omitzero"`
}

// GroupParams are those of calls that change a group and need nothing else.
type GroupParams struct {
	Conversation string `json:"conversation"`
	ClientID     string `json:"client_id" doc:"a UUID; the same one twice is the same change"`
}

// GroupMuteParams are those of groups.mute.
type GroupMuteParams struct {
	Conversation string   `json:"conversation"`
	ClientID     string   `json:"client_id" doc:"a UUID; the same one twice is the same change"`
	Until        string   `json:"until,omitzero" doc:"RFC 3339; absent: until it is ended"`
	Except       []string `json:"except,omitzero" doc:"plain members who go on speaking, at most 100"`
}

// GroupSettings is who may do what in a group.
type GroupSettings struct {
	Join              string `json:"join,omitzero" doc:"how one comes in without being added: invite (not at all; the usual), approval (by asking) or open"`
	History           string `json:"history,omitzero" doc:"what who comes in reads of what was before: joined (nothing; the usual) or all. It holds for those who come from then on"`
	HistoryAfterLeave string `json:"history_after_leave,omitzero" doc:"what who leaves still reads: kept (what it could; the usual) or gone"`
	Invite            string `json:"invite,omitzero" doc:"who adds members: everybody (the usual) or admins"`
	Edit              string `json:"edit,omitzero" doc:"who changes name, picture, announcement and attributes: everybody or admins (the usual)"`
	MentionAll        string `json:"mention_all,omitzero" doc:"who mentions all: everybody or admins (the usual)"`
	Pin               string `json:"pin,omitzero" doc:"who pins messages: everybody or admins (the usual)"`
	SlowModeMS        *int64 `json:"slow_mode_ms,omitzero" doc:"how long a plain member waits between messages; 0: not at all"`
}

// MuteAll is a group's silence: only its owner and admins, and some others, speak.
type MuteAll struct {
	Until  string   `json:"until,omitzero" doc:"absent: until it is ended"`
	Except []string `json:"except,omitzero"`
}

// GroupUpdateParams are those of groups.update: what is absent stays.
type GroupUpdateParams struct {
	Conversation string             `json:"conversation"`
	ClientID     string             `json:"client_id" doc:"a UUID; the same one twice is the same change"`
	Name         *string            `json:"name,omitzero" doc:"at most 64 characters; empty for none"`
	Picture      *string            `json:"picture,omitzero" doc:"a URL of at most 1,024 bytes; empty for none"`
	Announcement *string            `json:"announcement,omitzero" doc:"at most 4,096 characters; empty for none"`
	Attributes   map[string]*string `json:"attributes,omitzero" doc:"those to set, of the app's own; null takes one away. At most 64, of 8 KB together"`
	Settings     *GroupSettings     `json:"settings,omitzero" doc:"for its owner and admins"`
}

// GroupTransferParams are those of groups.transfer.
type GroupTransferParams struct {
	Conversation string `json:"conversation"`
	ClientID     string `json:"client_id" doc:"a UUID; the same one twice is the same change"`
	User         string `json:"user" doc:"a member, who becomes the owner"`
}

// GroupJoinParams are those of groups.join.
type GroupJoinParams struct {
	Conversation string `json:"conversation"`
	ClientID     string `json:"client_id" doc:"a UUID; the same one twice is the same joining"`
	Text         string `json:"text,omitzero" doc:"for those who approve, at most 200 characters"`
}

// GroupJoinResult answers groups.join.
type GroupJoinResult struct {
	State string `json:"state" doc:"joined, or waiting: the caller's item group_request tells what becomes of it"`
	Place *Place `json:"place,omitzero" doc:"joined: of the event, or of the newest one when the caller was in it already"`
}

// GroupRequestsResult answers groups.requests: ordered by user id.
type GroupRequestsResult struct {
	Requests []GroupRequest `json:"requests"`
	More     bool           `json:"more,omitzero"`
}

// GroupRequest is a user who wants to come into a group. With conversation it is also the
// notification group.request, told to the group's owner and admins.
type GroupRequest struct {
	Conversation string `json:"conversation,omitzero"`
	User         string `json:"user"`
	Text         string `json:"text,omitzero"`
	Time         string `json:"time"`
}

// GroupRejectParams are those of groups.reject.
type GroupRejectParams struct {
	Conversation string   `json:"conversation"`
	Users        []string `json:"users" doc:"1 to 1,000"`
}

// MembershipNotice is the notification membership, to all sessions of a user: it came into a
// channel, or left it.
type MembershipNotice struct {
	Conversation string `json:"conversation"`
	State        string `json:"state" doc:"joined or left"`
}
