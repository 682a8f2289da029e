package wire

// StreamOpenParams are those of streams.open.
type StreamOpenParams struct {
	To       To     `json:"to"`
	ClientID string `json:"client_id" doc:"a UUID; the same one twice is the same message"`
	Type     string `json:"type" doc:"text or markdown"`
	Text     string `json:"text,omitzero" doc:"how it begins; may be absent"`
}

// StreamAppendParams are those of streams.append.
type StreamAppendParams struct {
	Conversation string `json:"conversation"`
	Seq          int64  `json:"seq" doc:"of the message"`
	Offset       int    `json:"offset" doc:"where the text goes, in bytes of UTF-8: how many were taken before. What was taken may come again"`
	Text         string `json:"text"`
}

// StreamAppendResult answers streams.append.
type StreamAppendResult struct {
	Offset  int `json:"offset" doc:"bytes taken"`
	Durable int `json:"durable" doc:"of those, on disk; the rest is within about a second"`
}

// StreamFinishParams are those of streams.finish.
type StreamFinishParams struct {
	Conversation string `json:"conversation"`
	Seq          int64  `json:"seq" doc:"of the message"`
	ClientID     string `json:"client_id" doc:"a UUID, another one than the message's"`
}

// StreamNotice is the notification stream: text of an open message, in order. Whose end of what is
// held is not at offset reads the message and goes on from there.
type StreamNotice struct {
	Conversation string `json:"conversation"`
	Seq          int64  `json:"seq"`
	Offset       int    `json:"offset" doc:"where the text goes, in bytes of UTF-8"`
	Text         string `json:"text"`
}
