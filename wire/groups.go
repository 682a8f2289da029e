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
