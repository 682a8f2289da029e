package wire

import "github.com/go-json-experiment/json/jsontext"

// SignalParams are those of signals.send.
type SignalParams struct {
	To   To             `json:"to" doc:"a user one has a direct conversation with, or a conversation"`
	Type string         `json:"type" doc:"what it is, the app's own word: 1 to 64 characters"`
	Data jsontext.Value `json:"data,omitzero" doc:"any JSON, at most 4,096 bytes"`
}

// Signal is the notification signal: told once to who is connected, and not logged.
type Signal struct {
	Conversation string         `json:"conversation"`
	From         string         `json:"from"`
	Time         string         `json:"time"`
	Type         string         `json:"type"`
	Data         jsontext.Value `json:"data,omitzero"`
}

// ScheduleParams are those of schedule.create: those of messages.send, and when.
type ScheduleParams struct {
	To       To             `json:"to"`
	ClientID string         `json:"client_id" doc:"a UUID; the message has it too when it is sent. It names the waiting message"`
	Content  jsontext.Value `json:"content"`
	Only     []string       `json:"only,omitzero" doc:"this and the next as in messages.send"`
	ReplyTo  int64          `json:"reply_to,omitzero"`
	Values   *ValuesParams  `json:"values,omitzero"`
	Priority string         `json:"priority,omitzero"`
	BurnMS   int64          `json:"burn_ms,omitzero"`
	At       string         `json:"at" doc:"when to send it: RFC 3339, in the future, at most 366 days ahead"`
}

// ScheduleResult answers schedule.create.
type ScheduleResult struct {
	ID string `json:"id" doc:"what schedule.cancel takes: the client_id in lower case"`
	At string `json:"at" doc:"when it will be sent"`
}

// ScheduleCancelParams are those of schedule.cancel.
type ScheduleCancelParams struct {
	ID string `json:"id" doc:"of the waiting message"`
}

// ScheduleCancelResult answers schedule.cancel.
type ScheduleCancelResult struct {
	Cancelled bool `json:"cancelled" doc:"false: there was none; it may have been sent"`
}

// SchedulesResult answers schedule.list.
type SchedulesResult struct {
	Scheduled []Item `json:"scheduled" doc:"of kind schedule, by id: what waits, and what could not be sent (failed says why)"`
}
