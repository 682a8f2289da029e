package wire

import "github.com/go-json-experiment/json/jsontext"

// Prefs are what the reader has chosen about a conversation in its own list.
type Prefs struct {
	Pinned      bool   `json:"pinned,omitzero" doc:"it stands first; which of them is first is in the item pinned"`
	Archived    bool   `json:"archived,omitzero"`
	HiddenCount *int64 `json:"hidden_count,omitzero" doc:"it is hidden while no event of it has a count above this"`
	Unread      bool   `json:"unread,omitzero" doc:"marked as unread by hand; reading or writing there ends it, and a message of one's own tells of that"`
	Notify      string `json:"notify,omitzero" doc:"mentions or none; absent: all"`
	NotifyUntil string `json:"notify_until,omitzero" doc:"when notify ends and all notifies again; absent: never"`
}

// PrefsSetParams are those of prefs.set: what is absent stays.
type PrefsSetParams struct {
	Conversation string `json:"conversation"`
	Pinned       *bool  `json:"pinned,omitzero" doc:"true puts it in front of those that are pinned; at most 100"`
	Archived     *bool  `json:"archived,omitzero" doc:"out of the list, until false: a new message does not bring it back"`
	Hidden       *bool  `json:"hidden,omitzero" doc:"out of the list until there is a new message"`
	Unread       *bool  `json:"unread,omitzero"`
	Notify       string `json:"notify,omitzero" doc:"all, mentions or none"`
	NotifyUntil  string `json:"notify_until,omitzero" doc:"when notify ends; absent: never"`
}

// PrefsNotice is the notification prefs, and answers prefs.set.
type PrefsNotice struct {
	Conversation string `json:"conversation"`
	Prefs        Prefs  `json:"prefs" doc:"all of them"`
}

// PinsParams are those of prefs.order, and answer it: the pinned conversations, the first one first.
type PinsParams struct {
	Conversations []string `json:"conversations"`
}

// DraftParams are those of drafts.set.
type DraftParams struct {
	Conversation string         `json:"conversation"`
	Content      jsontext.Value `json:"content,omitzero" doc:"an object of the client's own making, at most 8 KB; absent: no draft"`
	Time         string         `json:"time,omitzero" doc:"when it was written; the latest stays. Absent, or ahead of the server: now"`
}

// DraftResult answers drafts.set.
type DraftResult struct {
	Kept bool `json:"kept" doc:"false: another device's is newer, and stays"`
}

// InboxParams are those of conversations.list.
type InboxParams struct {
	Kind     string `json:"kind,omitzero" doc:"of this kind only: direct, group or channel"`
	Archived bool   `json:"archived,omitzero" doc:"what is archived, instead of what is not"`
	Hidden   bool   `json:"hidden,omitzero" doc:"what is hidden, archived or not, instead of what is not"`
	Unread   bool   `json:"unread,omitzero" doc:"with something unread, or marked so, only"`
	Page     string `json:"page,omitzero" doc:"from the answer before"`
	Limit    int    `json:"limit,omitzero" doc:"1 to 200; 100 when absent"`
}

// UnreadResult answers conversations.unread.
type UnreadResult struct {
	Total    int64        `json:"total" doc:"messages, where every one notifies and which is not archived"`
	Kinds    []UnreadKind `json:"kinds" doc:"of total, by kind; those with none are left out"`
	Muted    int64        `json:"muted" doc:"messages where not every one notifies"`
	Archived int64        `json:"archived" doc:"messages in what is archived"`
	Mentions int64        `json:"mentions" doc:"unread messages that name the caller or everybody, wherever; counted up to 999"`
	Marked   int          `json:"marked" doc:"conversations marked as unread that have nothing unread"`
	More     bool         `json:"more,omitzero" doc:"only the 10,000 conversations that changed last are counted"`
}

// UnreadKind is a part of UnreadResult.
type UnreadKind struct {
	Kind   string `json:"kind"`
	Unread int64  `json:"unread"`
}
