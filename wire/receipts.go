package wire

// ReceiptsParams are those of receipts.list.
type ReceiptsParams struct {
	Conversation string `json:"conversation"`
	Seq          int64  `json:"seq" doc:"of the message"`
	Read         *bool  `json:"read,omitzero" doc:"true when absent: who has read it; false: who has not"`
	After        string `json:"after,omitzero" doc:"next of the page before"`
	Limit        int    `json:"limit,omitzero" doc:"1 to 200; 100 when absent"`
}

// ReceiptsResult answers receipts.list: ordered by user id.
type ReceiptsResult struct {
	Users []Receipt `json:"users"`
	Next  string    `json:"next,omitzero" doc:"there may be more: call again with it as after. A page of a large group may be short"`
}

// Receipt is one member's.
type Receipt struct {
	User    string `json:"user"`
	ReadSeq int64  `json:"read_seq"`
}

// ReceiptsCountParams are those of receipts.count.
type ReceiptsCountParams struct {
	Conversation string `json:"conversation"`
	Seq          int64  `json:"seq" doc:"of the message"`
}

// ReceiptsCountResult answers receipts.count: read by so many of so many.
type ReceiptsCountResult struct {
	Read int `json:"read"`
	Of   int `json:"of" doc:"who was there when it was said and still is, but for its sender and who has receipts off"`
}

// DeliveredNotice is the notification delivered: a member's devices have everything up to there.
type DeliveredNotice struct {
	Conversation string `json:"conversation"`
	User         string `json:"user"`
	DeliveredSeq int64  `json:"delivered_seq"`
}
