package config

import "time"

// Limits is everything that bounds what a peer can send or hold, in one place.
type Limits struct {
	FrameBytes     int // of a JSON frame or an HTTP body
	InFlight       int // calls of a connection that are not answered yet; then reading stops
	OutboxBytes    int // what waits for a slow peer; then it is closed
	HeaderBytes    int
	HeaderTimeout  time.Duration // for a whole HTTP header
	BodyTimeout    time.Duration // for a whole HTTP request
	AnswerTimeout  time.Duration // for a whole HTTP answer to be taken, from the request's header on; streams and polls have their own
	WriteTimeout   time.Duration // for anything to be taken on an HTTP/2 connection
	IdleTimeout    time.Duration // of an HTTP connection between requests
	HTTP2Streams   int           // requests at a time on an HTTP/2 connection
	PerAddress     int           // connections of one address that are not signed in yet
	MembersPerCall int
	GroupMembers   int
	DedupeWindow   time.Duration // how long a client_id is remembered

	// Rates hold for peers that are not on loopback.
	UserSendsPerSecond         float64
	UserSendsBurst             int
	UserSearchesPerSecond      float64
	UserSearchesBurst          int
	ConversationSendsPerSecond float64
	ConversationSendsBurst     int
	NewDirectsPerHour          int
	NewRoomsPerHour            int
	KeyCallsPerSecond          float64 // of a server key; an item of a bulk call is one
	KeyCallsBurst              int
	ReportsPerHour             int
	KeyBodyBytes               int // of an HTTP body that comes with a server key
	JoinsPerHour               int
}

// DefaultLimits answers the limits in force.
func DefaultLimits() Limits {
	return Limits{
		UserSearchesPerSecond: 5, UserSearchesBurst: 20,
		FrameBytes: 64 << 10, InFlight: 64, OutboxBytes: 256 << 10,
		HeaderBytes: 16 << 10, HeaderTimeout: 5 * time.Second, BodyTimeout: 30 * time.Second,
		AnswerTimeout: time.Minute, WriteTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		HTTP2Streams: 100, PerAddress: 256, MembersPerCall: 1000, GroupMembers: 100_000, DedupeWindow: 30 * 24 * time.Hour,
		UserSendsPerSecond: 20, UserSendsBurst: 40, ConversationSendsPerSecond: 100, ConversationSendsBurst: 200,
		NewDirectsPerHour: 30, NewRoomsPerHour: 10, KeyCallsPerSecond: 1000, KeyCallsBurst: 5000, KeyBodyBytes: 4 << 20, ReportsPerHour: 20, JoinsPerHour: 60,
	}
}
