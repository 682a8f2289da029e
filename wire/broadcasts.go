package wire

import "github.com/go-json-experiment/json/jsontext"

// BroadcastTo says to whom a broadcast goes.
type BroadcastTo struct {
	All bool   `json:"all,omitzero" doc:"to every user that is known: who has signed in once, or has a profile"`
	Tag string `json:"tag,omitzero" doc:"to every user with this tag of users.tag"`
}

// BroadcastCreateParams are those of broadcasts.create.
type BroadcastCreateParams struct {
	ClientID string         `json:"client_id" doc:"a UUID; the same one twice is the same broadcast"`
	From     string         `json:"from" doc:"the account it is from"`
	To       BroadcastTo    `json:"to"`
	Content  jsontext.Value `json:"content" doc:"as of messages.send"`
}

// BroadcastParams name a broadcast.
type BroadcastParams struct {
	ID string `json:"id"`
}

// BroadcastsParams are those of broadcasts.list.
type BroadcastsParams struct {
	After string `json:"after,omitzero" doc:"older than this one"`
	Limit int    `json:"limit,omitzero" doc:"1 to 200; 50 when absent"`
}

// Broadcast is a direct message to many, and how far it is.
type Broadcast struct {
	ID      string         `json:"id"`
	From    string         `json:"from"`
	To      BroadcastTo    `json:"to"`
	Content jsontext.Value `json:"content"`
	State   string         `json:"state" doc:"running, done or cancelled"`
	Time    string         `json:"time"`
	Ended   string         `json:"ended,omitzero"`
	Sent    int64          `json:"sent" doc:"to so many users until now"`
	Refused int64          `json:"refused,omitzero" doc:"to so many it could not be sent"`
}

// BroadcastsResult answers broadcasts.list: newest first.
type BroadcastsResult struct {
	Broadcasts []Broadcast `json:"broadcasts"`
	More       bool        `json:"more,omitzero"`
}
