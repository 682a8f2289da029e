package wire

// MessagesSearchParams are those of messages.search.
type MessagesSearchParams struct {
	Query        string   `json:"query,omitzero" doc:"words that all stand in the text, at most 128 characters; may be absent when from or types is given"`
	Conversation string   `json:"conversation,omitzero" doc:"only in this one; absent: in all that the caller has been a member of, the 1,000 newest"`
	From         []string `json:"from,omitzero" doc:"only of these senders, at most 20"`
	Types        []string `json:"types,omitzero" doc:"only contents of these types: text, image, …"`
	Since        string   `json:"since,omitzero" doc:"not sent before this time, RFC 3339"`
	Until        string   `json:"until,omitzero" doc:"sent before this time, RFC 3339"`
	Page         string   `json:"page,omitzero" doc:"from the answer before, with the same other parameters"`
	Limit        int      `json:"limit,omitzero" doc:"1 to 50; 20 when absent"`
}

// MessagesSearchResult answers messages.search: newest first, as they are now.
type MessagesSearchResult struct {
	Messages []FoundMessage `json:"messages"`
	Page     string         `json:"page,omitzero" doc:"where the next page begins; absent on the last. A page may be short, or empty, and have one"`
	Behind   bool           `json:"behind,omitzero" doc:"the index has not caught up with the log: there may be more in a moment"`
}

// FoundMessage is a message that was found.
type FoundMessage struct {
	Conversation string   `json:"conversation"`
	Seq          int64    `json:"seq"`
	From         string   `json:"from"`
	Time         string   `json:"time"`
	Type         string   `json:"type" doc:"of its content"`
	Snippet      string   `json:"snippet" doc:"one line of its text around the first match"`
	Matches      [][2]int `json:"matches" doc:"where in the snippet the words stand: from and up to, in UTF-16 units"`
}

// UsersSearchParams are those of users.search.
type UsersSearchParams struct {
	Query string `json:"query" doc:"beginnings of words of a name or an id; or an exact id"`
	Limit int    `json:"limit,omitzero" doc:"1 to 50; 20 when absent"`
}

// UsersSearchResult answers users.search.
type UsersSearchResult struct {
	Users []User `json:"users" doc:"those with whom the caller is in one of its 200 newest conversations"`
	Exact *User  `json:"exact,omitzero" doc:"the user whose id the query is, as users.get answers it: whether anybody has that id is not told"`
}

// ConversationsSearchParams are those of conversations.search.
type ConversationsSearchParams struct {
	Query string `json:"query" doc:"beginnings of words of the name"`
	Limit int    `json:"limit,omitzero" doc:"1 to 50; 20 when absent"`
}

// ConversationsSearchResult answers conversations.search: newest first.
type ConversationsSearchResult struct {
	Conversations []Conversation `json:"conversations"`
}

// MembersSearchParams are those of members.search.
type MembersSearchParams struct {
	Conversation string `json:"conversation"`
	Query        string `json:"query" doc:"the beginning of an id, or beginnings of words of a name"`
	Limit        int    `json:"limit,omitzero" doc:"1 to 50; 20 when absent"`
}

// MembersSearchResult answers members.search: those found by id first.
type MembersSearchResult struct {
	Members []FoundMember `json:"members"`
}

// FoundMember is a member that was found.
type FoundMember struct {
	User User   `json:"user"`
	Role string `json:"role"`
}
