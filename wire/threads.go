package wire

// ThreadCreateParams are those of threads.create.
type ThreadCreateParams struct {
	Conversation string `json:"conversation"`
	Seq          int64  `json:"seq" doc:"of the message that the thread hangs on"`
	ClientID     string `json:"client_id" doc:"a UUID"`
}

// ThreadParams name a thread.
type ThreadParams struct {
	Thread string `json:"thread"`
}

// ThreadsParams are those of threads.list.
type ThreadsParams struct {
	Conversation string `json:"conversation"`
	BeforeSeq    int64  `json:"before_seq,omitzero" doc:"threads on messages below this seq"`
	Limit        int    `json:"limit,omitzero" doc:"1 to 200; 50 when absent"`
}

// ThreadsResult answers threads.list: the newest message's thread first.
type ThreadsResult struct {
	Threads []Conversation `json:"threads"`
	More    bool           `json:"more,omitzero"`
}
