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

// FriendsRequestParams are those of friends.request.
type FriendsRequestParams struct {
	User     string `json:"user"`
	ClientID string `json:"client_id" doc:"a UUID; the same one twice is the same request"`
	Message  string `json:"message,omitzero" doc:"one line of at most 200 characters"`
}

// FriendsRequestResult answers friends.request.
type FriendsRequestResult struct {
	State string `json:"state" doc:"requested, or friends: the other one has asked too, or they were friends"`
}

// FriendParams are those of friends.update: what is absent stays.
type FriendParams struct {
	User   string    `json:"user"`
	Remark *string   `json:"remark,omitzero" doc:"what the caller calls this friend; one line of at most 64 characters, empty for none"`
	Tags   *[]string `json:"tags,omitzero" doc:"at most 20, of 1 to 32 characters"`
}

// Friend is a friend, with what the caller keeps of it for itself. Its fields but user are
// the body of the item friend.
type Friend struct {
	User   string   `json:"user"`
	Since  string   `json:"since"`
	Remark string   `json:"remark,omitzero"`
	Tags   []string `json:"tags,omitzero"`
}

// FriendsResult answers friends.list: ordered by user id.
type FriendsResult struct {
	Friends []Friend `json:"friends"`
	More    bool     `json:"more,omitzero"`
}

// FriendRequest is a question to be a friend that waits. Its fields but user are the body
// of the item friend_request.
type FriendRequest struct {
	User      string `json:"user" doc:"the other one"`
	Direction string `json:"direction" doc:"in: it asks the caller; out: the caller asks"`
	Message   string `json:"message,omitzero"`
	Time      string `json:"time"`
	Expires   string `json:"expires"`
}

// FriendRequestsResult answers friends.requests: ordered by user id.
type FriendRequestsResult struct {
	Requests []FriendRequest `json:"requests"`
	More     bool            `json:"more,omitzero"`
}

// UsersTagParams are those of users.tag.
type UsersTagParams struct {
	Users  []string `json:"users" doc:"1 to 1,000"`
	Add    []string `json:"add,omitzero" doc:"tags to put on all of them; at most 20, of 1 to 32 characters"`
	Remove []string `json:"remove,omitzero" doc:"tags to take off all of them"`
}

// UsersTaggedParams are those of users.tagged.
type UsersTaggedParams struct {
	Tag   string `json:"tag"`
	After string `json:"after,omitzero" doc:"the last user id of the page before"`
	Limit int    `json:"limit,omitzero" doc:"1 to 200; 100 when absent"`
}

// UsersTaggedResult answers users.tagged: ordered by user id.
type UsersTaggedResult struct {
	Users []string `json:"users"`
	More  bool     `json:"more,omitzero"`
}

// TagsResult answers users.tags.
type TagsResult struct {
	Tags []string `json:"tags"`
}
