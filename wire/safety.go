package wire

import "github.com/go-json-experiment/json/jsontext"

// ReportsCreateParams are those of reports.create: user, or conversation and seq.
type ReportsCreateParams struct {
	ClientID     string `json:"client_id" doc:"a UUID; the same one twice is the same report"`
	User         string `json:"user,omitzero" doc:"who is reported"`
	Conversation string `json:"conversation,omitzero" doc:"with seq: the message that is reported"`
	Seq          int64  `json:"seq,omitzero"`
	Reason       string `json:"reason" doc:"spam, harassment, hate, violence, sexual, child_safety, self_harm, illegal, fraud, impersonation or other"`
	Text         string `json:"text,omitzero" doc:"what the reporter says, at most 1,000 characters"`
}

// ReportsCreateResult answers reports.create.
type ReportsCreateResult struct {
	Report string `json:"report" doc:"its id"`
}

// ReportsListParams are those of reports.list.
type ReportsListParams struct {
	State string `json:"state,omitzero" doc:"open (when absent) or resolved"`
	After string `json:"after,omitzero" doc:"the last id of the page before"`
	Limit int    `json:"limit,omitzero" doc:"1 to 200; 100 when absent"`
}

// ReportsResult answers reports.list: the oldest first.
type ReportsResult struct {
	Reports []Report `json:"reports"`
	More    bool     `json:"more,omitzero"`
}

// Report is a report of a message or a user.
type Report struct {
	ID           string         `json:"id"`
	From         string         `json:"from" doc:"who reports"`
	Time         string         `json:"time"`
	User         string         `json:"user" doc:"who is reported: of a message, its sender"`
	Conversation string         `json:"conversation,omitzero"`
	Seq          int64          `json:"seq,omitzero"`
	Reason       string         `json:"reason"`
	Text         string         `json:"text,omitzero"`
	Event        jsontext.Value `json:"event,omitzero" doc:"the message as it was then, whatever became of it"`
	Outcome      string         `json:"outcome,omitzero" doc:"resolved: dismissed or acted"`
	Note         string         `json:"note,omitzero"`
	By           string         `json:"by,omitzero" doc:"resolved: the user for whom it was"`
	ResolvedAt   string         `json:"resolved_at,omitzero"`
}

// ReportsResolveParams are those of reports.resolve.
type ReportsResolveParams struct {
	Report  string `json:"report"`
	Outcome string `json:"outcome" doc:"dismissed or acted"`
	Note    string `json:"note,omitzero" doc:"at most 1,000 characters"`
}

// AccountDeleteParams are those of account.delete.
type AccountDeleteParams struct {
	Confirm  string `json:"confirm" doc:"the user's own id: so that it is meant"`
	Messages string `json:"messages,omitzero" doc:"keep (when absent): they stay, of a deleted user; purge: they are removed"`
}
