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
