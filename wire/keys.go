package wire

// ServerKey is a server key, but for its secret, which is told once.
type ServerKey struct {
	ID      string   `json:"id"`
	Name    string   `json:"name"`
	Scopes  []string `json:"scopes" doc:"read, send, manage, moderate, admin (which is all of them)"`
	Created string   `json:"created"`
	Expires string   `json:"expires,omitzero" doc:"absent: never"`
	Used    string   `json:"used,omitzero" doc:"the last time; lags by up to a minute; absent: not yet"`
}

// KeysCreateParams are those of keys.create.
type KeysCreateParams struct {
	ClientID string   `json:"client_id" doc:"a UUID; the same one twice is the same key"`
	Name     string   `json:"name" doc:"what it is for, 1 to 64 characters"`
	Scopes   []string `json:"scopes" doc:"one or more of read, send, manage, moderate, admin"`
	TTLMS    int64    `json:"ttl_ms,omitzero" doc:"how long it is good, up to ten years; for ever when absent"`
}

// KeysCreateResult answers keys.create.
type KeysCreateResult struct {
	Key    ServerKey `json:"key"`
	Secret string    `json:"secret,omitzero" doc:"what to call by: lk_… It is told this once; a repetition answers none"`
}

// KeysResult answers keys.list.
type KeysResult struct {
	Keys []ServerKey `json:"keys"`
}

// KeysRevokeParams are those of keys.revoke.
type KeysRevokeParams struct {
	Key string `json:"key" doc:"the id of one of keys.list"`
}
