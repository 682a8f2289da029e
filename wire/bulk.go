package wire

// Fault is why one of many was refused: an error, as a call of its own would answer it.
type Fault struct {
	Code         string `json:"code"`
	Message      string `json:"message"`
	Outcome      string `json:"outcome" doc:"no, retry or unknown"`
	Param        string `json:"param,omitzero"`
	RetryAfterMS int64  `json:"retry_after_ms,omitzero"`
	First        *Place `json:"first,omitzero" doc:"client_id_reused: where the first one stands"`
}

// BatchMessage is one of messages.send_batch: what messages.send takes, and from.
type BatchMessage struct {
	From string `json:"from,omitzero" doc:"the user it is from; whom the key acts for when absent"`
	SendParams
}

// SendBatchParams are those of messages.send_batch.
type SendBatchParams struct {
	Messages []BatchMessage `json:"messages" doc:"1 to 1,000"`
}

// SendBatchResult answers messages.send_batch.
type SendBatchResult struct {
	Results []BatchSent `json:"results" doc:"one for each message, in their order"`
	Failed  int         `json:"failed" doc:"how many have an error"`
}

// BatchSent is what became of one message: a place or an error.
type BatchSent struct {
	ClientID string `json:"client_id"`
	Place    *Place `json:"place,omitzero"`
	Error    *Fault `json:"error,omitzero"`
}

// UserImport is one of users.import: what users.update takes, and the id.
type UserImport struct {
	ID string `json:"id"`
	UsersUpdateParams
}

// UsersImportParams are those of users.import.
type UsersImportParams struct {
	Users []UserImport `json:"users" doc:"1 to 1,000; of one named twice the last one holds"`
}

// UsersImportResult answers users.import.
type UsersImportResult struct {
	Results []UserImported `json:"results" doc:"one for each user, in their order"`
	Failed  int            `json:"failed" doc:"how many have an error"`
}

// UserImported is what became of one user.
type UserImported struct {
	ID    string `json:"id"`
	Error *Fault `json:"error,omitzero" doc:"absent: it is as it was sent"`
}

// TokensCreateParams are those of tokens.create.
type TokensCreateParams struct {
	User  string `json:"user"`
	Name  string `json:"name,omitzero" doc:"shown until the user sets a name"`
	TTLMS int64  `json:"ttl_ms,omitzero" doc:"how long it is good, up to 30 days; a day when absent"`
}

// TokensCreateResult answers tokens.create.
type TokensCreateResult struct {
	Token   string `json:"token" doc:"for session.open, or as a bearer token"`
	Expires string `json:"expires"`
}
