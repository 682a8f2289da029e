package wire

import "github.com/go-json-experiment/json/jsontext"

// EditParams are those of messages.edit.
type EditParams struct {
	Conversation string         `json:"conversation"`
	Seq          int64          `json:"seq"`
	ClientID     string         `json:"client_id" doc:"a UUID; the same one twice is the same edit"`
	Content      jsontext.Value `json:"content" doc:"the new content, of the type text, markdown or custom"`
}

// MessageCallParams are those of methods that change a message and are logged.
type MessageCallParams struct {
	Conversation string `json:"conversation"`
	Seq          int64  `json:"seq"`
	ClientID     string `json:"client_id" doc:"a UUID; the same one twice is the same call"`
}

// MessageParams name one message.
type MessageParams struct {
	Conversation string `json:"conversation"`
	Seq          int64  `json:"seq"`
}

// VersionsResult answers messages.versions.
type VersionsResult struct {
	Versions []Version `json:"versions" doc:"oldest first; the last one is what it is now. Of very many the first and the newest are kept"`
}

// Version is what a message was from a time on.
type Version struct {
	Time    string         `json:"time"`
	Content jsontext.Value `json:"content"`
}

// RangesParams are those of messages.delete.
type RangesParams struct {
	Conversation string     `json:"conversation"`
	Ranges       [][2]int64 `json:"ranges" doc:"1 to 100 of [from, to], seqs, both included"`
}

// PurgeParams are those of messages.purge.
type PurgeParams struct {
	Conversation string     `json:"conversation"`
	ClientID     string     `json:"client_id" doc:"a UUID; the same one twice is the same call"`
	Ranges       [][2]int64 `json:"ranges" doc:"[from, to], seqs, both included, of at most 200 messages in all"`
}

// ClearParams are those of conversations.clear.
type ClearParams struct {
	Conversation string `json:"conversation"`
	Seq          int64  `json:"seq,omitzero" doc:"up to which it is cleared; the newest when absent"`
}

// Hidden is the notification hidden, told to the user's own sessions: these were deleted
// for the user alone.
type Hidden struct {
	Conversation string     `json:"conversation"`
	Ranges       [][2]int64 `json:"ranges"`
}

// ReactParams are those of reactions.set.
type ReactParams struct {
	Conversation string `json:"conversation"`
	Seq          int64  `json:"seq"`
	Emoji        string `json:"emoji" doc:"1 to 32 bytes without blanks"`
	On           bool   `json:"on" doc:"false takes it back"`
}

// ReactionsParams are those of reactions.list.
type ReactionsParams struct {
	Conversation string `json:"conversation"`
	Seq          int64  `json:"seq"`
	Emoji        string `json:"emoji,omitzero" doc:"only with this one"`
	Page         string `json:"page,omitzero" doc:"from the answer before"`
	Limit        int    `json:"limit,omitzero" doc:"1 to 200; 100 when absent"`
}

// ReactionsResult answers reactions.list.
type ReactionsResult struct {
	Reactions []Reactor `json:"reactions"`
	Page      string    `json:"page,omitzero" doc:"where the next page begins; absent on the last"`
}

// Reactor is who reacted with what.
type Reactor struct {
	User  string `json:"user"`
	Emoji string `json:"emoji"`
}

// Reaction is how many reacted to a message with an emoji.
type Reaction struct {
	Emoji string `json:"emoji"`
	Count int    `json:"count"`
}

// MyReactions is what the reader reacted to a message with.
type MyReactions struct {
	Seq   int64    `json:"seq"`
	Emoji []string `json:"emoji"`
}

// Pin is a pinned message.
type Pin struct {
	Seq  int64  `json:"seq"`
	By   string `json:"by"`
	Time string `json:"time"`
}

// ValuesParams are the values that a message is sent with.
type ValuesParams struct {
	By  string                    `json:"by,omitzero" doc:"who may change them: sender (the default) or everybody"`
	Set map[string]jsontext.Value `json:"set" doc:"at most 50, of 1 KB each and 8 KB together"`
}

// Values are the values that a message carries.
type Values struct {
	Rev int64                     `json:"rev" doc:"moves with each change"`
	By  string                    `json:"by"`
	Set map[string]jsontext.Value `json:"set"`
}

// SetValuesParams are those of messages.set_values.
type SetValuesParams struct {
	Conversation string                    `json:"conversation"`
	Seq          int64                     `json:"seq"`
	ClientID     string                    `json:"client_id" doc:"a UUID; the same one twice is the same change"`
	IfRev        *int64                    `json:"if_rev,omitzero" doc:"only if the values are at this rev; stale is answered if not"`
	Set          map[string]jsontext.Value `json:"set,omitzero"`
	Remove       []string                  `json:"remove,omitzero"`
}

// ForwardParams are those of messages.forward.
type ForwardParams struct {
	Conversation string  `json:"conversation" doc:"where the messages are"`
	Seqs         []int64 `json:"seqs" doc:"one, or 1 to 100 that are merged"`
	To           To      `json:"to"`
	ClientID     string  `json:"client_id" doc:"a UUID; the same one twice is the same message"`
	Merged       bool    `json:"merged,omitzero" doc:"as one message of the type forward"`
	Title        string  `json:"title,omitzero" doc:"of a merged one, at most 200 characters"`
}
