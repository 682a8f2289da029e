package wire

// Settings are what a user has chosen about being reached and seen.
type Settings struct {
	Contact        string      `json:"contact" doc:"who may begin a direct conversation: everybody (the usual) or friends"`
	FriendRequests string      `json:"friend_requests" doc:"who may ask to be a friend: everybody (the usual) or nobody"`
	Presence       string      `json:"presence" doc:"who sees presence: acquainted (the usual: friends, whom the user has written to, members of shared groups of up to 500), friends or nobody"`
	LastSeen       string      `json:"last_seen" doc:"shown (the usual) or hidden, to those who see presence"`
	Receipts       string      `json:"receipts" doc:"on (the usual); off: nobody is told what the user reads, and the user is not told of others"`
	QuietHours     *QuietHours `json:"quiet_hours,omitzero" doc:"when no event notifies the user; absent: never"`
}

// SettingsParams are those of settings.set: what is absent stays.
type SettingsParams struct {
	Contact        string      `json:"contact,omitzero" doc:"everybody or friends"`
	FriendRequests string      `json:"friend_requests,omitzero" doc:"everybody or nobody"`
	Presence       string      `json:"presence,omitzero" doc:"acquainted, friends or nobody"`
	LastSeen       string      `json:"last_seen,omitzero" doc:"shown or hidden"`
	Receipts       string      `json:"receipts,omitzero" doc:"on or off"`
	QuietHours     *QuietHours `json:"quiet_hours,omitzero" doc:"without ranges: none"`
}

// QuietHours are when a user is not to be disturbed.
type QuietHours struct {
	TimeZone string       `json:"time_zone,omitzero" doc:"the IANA name of the zone whose clock is meant, such as Asia/Shanghai"`
	Ranges   []QuietRange `json:"ranges,omitzero" doc:"at most 28"`
}

// QuietRange is a time of the day, on some days.
type QuietRange struct {
	Days []string `json:"days,omitzero" doc:"on which it begins: mon, tue, wed, thu, fri, sat, sun; absent: every day"`
	From string   `json:"from" doc:"the first minute, such as 22:30"`
	To   string   `json:"to" doc:"the first minute after it; at or before from: on the next day"`
}

// UserParams name one user.
type UserParams struct {
	User string `json:"user"`
}

// AfterParams ask for a page of what is listed by user id.
type AfterParams struct {
	After string `json:"after,omitzero" doc:"the last user id of the page before"`
	Limit int    `json:"limit,omitzero" doc:"1 to 200; 100 when absent"`
}

// Block is a user whom the caller has blocked.
type Block struct {
	User  string `json:"user"`
	Since string `json:"since"`
}

// BlocksResult answers blocks.list: ordered by user id.
type BlocksResult struct {
	Blocks []Block `json:"blocks"`
	More   bool    `json:"more,omitzero"`
}
