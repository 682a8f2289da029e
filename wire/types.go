package wire

import (
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Proto is the protocol version that session.open takes and answers.
const Proto = 1

// TimeLayout is the form of an instant on the wire: RFC 3339, UTC, with exactly three decimals.
const TimeLayout = "2006-01-02T15:04:05.000Z"

// FormatTime gives t the wire's form.
func FormatTime(t time.Time) string { return t.UTC().Format(TimeLayout) }

// Device describes the installation a session runs on.
type Device struct {
	ID       string `json:"id" doc:"the installation's own id, 1 to 64 bytes"`
	Platform string `json:"platform,omitzero" doc:"ios, android, web, cli, …; free text, at most 32 bytes"`
	Name     string `json:"name,omitzero" doc:"shown to the user in the list of devices, at most 64 bytes"`
}

// User is a public profile.
type User struct {
	ID    string `json:"id"`
	Name  string `json:"name" doc:"what people read; the id when the user has set none"`
	Guest bool   `json:"guest,omitzero" doc:"true for a user that named itself"`

	Picture    string            `json:"picture,omitzero" doc:"a URL"`
	Bio        string            `json:"bio,omitzero"`
	Gender     string            `json:"gender,omitzero" doc:"in the app's own words"`
	Attributes map[string]string `json:"attributes,omitzero" doc:"the app's own"`
	Version    int64             `json:"version,omitzero" doc:"grows with each change; absent: the user has set nothing"`
	Deleted    bool              `json:"deleted,omitzero" doc:"the account was deleted"`
}

// OpenParams are those of session.open: exactly one of Token, Guest and Key.
type OpenParams struct {
	Token   string   `json:"token,omitzero" doc:"a JWT from the app's back end, or a session token from an earlier session.open"`
	Guest   string   `json:"guest,omitzero" doc:"a name, where guests are allowed"`
	Key     string   `json:"key,omitzero" doc:"a server key, lk_…, with user; over HTTP it is the bearer token of each call instead"`
	User    string   `json:"user,omitzero" doc:"with key: the user to act for"`
	Device  *Device  `json:"device,omitzero"`
	Session string   `json:"session,omitzero" doc:"the id of the session to go on with; a live connection of the same session is replaced silently"`
	Proto   int      `json:"proto,omitzero" doc:"the protocol version the client speaks; 1 when absent"`
	Client  string   `json:"client,omitzero" doc:"name and version of the client, at most 64 bytes"`
	Rooms   []string `json:"rooms,omitzero" doc:"open rooms to be in from the start, at most 16"`
}

// OpenResult answers session.open.
type OpenResult struct {
	User        User     `json:"user"`
	Session     string   `json:"session"`
	Epoch       string   `json:"epoch" doc:"the store's present start; whether a cursor still holds is told by sync"`
	Cursor      string   `json:"cursor" doc:"for a device that has none; one that has a cursor gives its own to sync"`
	HeartbeatMS int64    `json:"heartbeat_ms"`
	Proto       int      `json:"proto"`
	Features    []string `json:"features"`
	Limits      Limits   `json:"limits"`
	Time        string   `json:"time"`
	Token       string   `json:"token,omitzero" doc:"over HTTP: a bearer token for this session, good for an hour, renewed by another session.open"`
}

// Limits tells a client what the server accepts.
type Limits struct {
	FrameBytes   int   `json:"frame_bytes"`
	ContentBytes int   `json:"content_bytes"`
	InFlight     int   `json:"in_flight"`
	DedupeMS     int64 `json:"dedupe_ms" doc:"how long a client_id is remembered"`
	ListLimit    int   `json:"list_limit"`
	Members      int   `json:"members" doc:"members one call may name"`
}

// Empty is the parameter or the result that has no fields.
type Empty struct{}

// AckParams are those of session.ack.
type AckParams struct {
	Cursor string `json:"cursor" doc:"of the last checkpoint stored, or of sync"`
}

// UsersGetParams are those of users.get.
type UsersGetParams struct {
	IDs []string `json:"ids" doc:"1 to 100 exact user ids; with a server key, 1,000"`
}

// UsersResult answers users.get. Ids nobody has are answered like the others: with the id as name.
type UsersResult struct {
	Users []User `json:"users"`
}

// UsersUpdateParams are those of users.update.
// What is absent stays.
type UsersUpdateParams struct {
	Name       *string            `json:"name,omitzero" doc:"1 to 64 characters, one line"`
	Picture    *string            `json:"picture,omitzero" doc:"a URL of at most 1,024 bytes; empty: none"`
	Bio        *string            `json:"bio,omitzero" doc:"at most 500 characters; empty: none"`
	Gender     *string            `json:"gender,omitzero" doc:"at most 32 characters, in the app's own words; empty: none"`
	Attributes map[string]*string `json:"attributes,omitzero" doc:"those to change: null takes one away; at most 64, names of 64 bytes, values of 1,024, 8 KB in all"`
}

// To says where a message goes: exactly one of the two.
type To struct {
	User         string `json:"user,omitzero" doc:"the other one of a direct conversation; it need not have signed in yet"`
	Conversation string `json:"conversation,omitzero"`
}

// SendParams are those of messages.send.
type SendParams struct {
	To       To             `json:"to"`
	ClientID string         `json:"client_id" doc:"the sender's own id, a UUID (version 7 is fastest); the same one twice is the same message"`
	Content  jsontext.Value `json:"content" doc:"an object with type and a fallback text; free fields go under custom"`
	Read     *bool          `json:"read,omitzero" doc:"false: the sender's read position stays; true when absent"`
	Priority string         `json:"priority,omitzero" doc:"rooms: high or low; the less important are refused first, with room_busy, when too much is being said"`
	Only     []string       `json:"only,omitzero" doc:"groups: who alone may see it, at most 100; others see that something is there, a void, and nothing of it"`
	BurnMS   int64          `json:"burn_ms,omitzero" doc:"direct conversations: the message is erased so long after messages.open; 1,000 to 604,800,000"`
	ReplyTo  int64          `json:"reply_to,omitzero" doc:"the seq of the message that this one answers"`
	Values   *ValuesParams  `json:"values,omitzero" doc:"a small map that the message carries and that can be changed: votes, shares"`
}

// Place answers everything that is logged: where it stands.
type Place struct {
	Conversation string `json:"conversation"`
	Seq          int64  `json:"seq"`
	Time         string `json:"time"`
}

// ListParams are those of messages.list: at most one of AfterSeq and BeforeSeq;
// with neither, the newest.
type ListParams struct {
	Conversation string `json:"conversation"`
	AfterSeq     *int64 `json:"after_seq,omitzero" doc:"events above this seq, upwards"`
	BeforeSeq    *int64 `json:"before_seq,omitzero" doc:"events below this seq, downwards"`
	Limit        int    `json:"limit,omitzero" doc:"1 to 200; 50 when absent; a page of long events, over 128 KB, is shorter"`
	View         string `json:"view,omitzero" doc:"log (every seq; the default) or messages (limit counts messages)"`
}

// ListResult answers messages.list: events in seq order, as they are now.
type ListResult struct {
	Conversation string           `json:"conversation"`
	FromSeq      int64            `json:"from_seq" doc:"the range covered; what is absent inside it is not for this reader"`
	ToSeq        int64            `json:"to_seq"`
	HeadSeq      int64            `json:"head_seq" doc:"the highest seq this reader may see"`
	Events       []jsontext.Value `json:"events"`
	Mine         []MyReactions    `json:"mine,omitzero" doc:"what the reader reacted to these with"`
}

// ReadParams are those of messages.read.
type ReadParams struct {
	Conversation string `json:"conversation"`
	Seq          int64  `json:"seq" doc:"up to which the user has read; positions only grow"`
}

// ReadResult answers messages.read.
type ReadResult struct {
	Conversation string `json:"conversation"`
	ReadSeq      int64  `json:"read_seq"`
	Unread       int64  `json:"unread"`
}

// CreateParams are those of conversations.create.
type CreateParams struct {
	Kind     string   `json:"kind" doc:"direct, group or channel"`
	User     string   `json:"user,omitzero" doc:"direct: the other one"`
	ClientID string   `json:"client_id,omitzero" doc:"group and channel: a UUID; the same one twice is the same one"`
	Name     string   `json:"name,omitzero" doc:"group and channel: at most 64 characters"`
	Members  []string `json:"members,omitzero" doc:"group: at most 1,000 besides the creator"`
	History  string   `json:"history,omitzero" doc:"group: joined (members read from their joining on; a group's default) or all (a channel's)"`
}

// ConversationParams name one conversation.
type ConversationParams struct {
	Conversation string `json:"conversation"`
}

// Conversation is a conversation as one reader sees it now.
type Conversation struct {
	ID         string         `json:"id"`
	Kind       string         `json:"kind"`
	Name       string         `json:"name,omitzero"`
	User       string         `json:"user,omitzero" doc:"direct: the other one"`
	Parent     string         `json:"parent,omitzero" doc:"thread: the conversation that it hangs in"`
	RootSeq    int64          `json:"root_seq,omitzero" doc:"thread: the message that it hangs on"`
	Seq        int64          `json:"seq" doc:"the highest seq this reader may see"`
	AsOfSeq    int64          `json:"as_of_seq" doc:"this state has every event up to here in it"`
	Count      int64          `json:"count" doc:"countable messages up to seq"`
	Rev        int64          `json:"rev" doc:"moves when read positions of a small conversation moved"`
	Members    int            `json:"members" doc:"how many; 0 for a room"`
	Role       string         `json:"role,omitzero" doc:"owner, admin or member"`
	Membership string         `json:"membership" doc:"joined, left or open; in a thread joined is who follows it; none: a server key reads it for a user who was never in it"`
	ToSeq      int64          `json:"to_seq,omitzero" doc:"left: the last seq this reader may see"`
	ReadSeq    int64          `json:"read_seq"`
	Unread     int64          `json:"unread"`
	Pins       []Pin          `json:"pins,omitzero" doc:"pinned messages, the newest pin last"`
	Hidden     [][2]int64     `json:"hidden,omitzero" doc:"ranges of seqs that the reader deleted for itself; a list has voids there"`
	Mentions   []int64        `json:"mentions,omitzero" doc:"unread messages that name the reader or everybody, by seq; at most 100, the newest"`
	Prefs      *Prefs         `json:"prefs,omitzero" doc:"what the reader has chosen about it in its list; absent: nothing"`
	Last       jsontext.Value `json:"last,omitzero" doc:"the last event this reader may see"`
	ForkSeq    *int64         `json:"fork_seq,omitzero" doc:"after a reset: drop what is held above this seq"`
	Reset      bool           `json:"reset,omitzero" doc:"drop what is held of this conversation and load its last page"`

	// Of a direct conversation, unless one of the two has receipts off.
	PeerReadSeq      int64 `json:"peer_read_seq,omitzero" doc:"up to which the other one has read"`
	PeerDeliveredSeq int64 `json:"peer_delivered_seq,omitzero" doc:"up to which the other one's devices have it"`

	// Of a group.
	Nickname     string            `json:"nickname,omitzero" doc:"the caller's own"`
	MutedUntil   string            `json:"muted_until,omitzero" doc:"the caller may not speak; the year 9999 has no end"`
	Erased       bool              `json:"erased,omitzero" doc:"left, and nothing of it is to be read any more: drop what is held"`
	Picture      string            `json:"picture,omitzero" doc:"a URL"`
	Settings     *GroupSettings    `json:"settings,omitzero" doc:"joined: all of them"`
	MuteAll      *MuteAll          `json:"mute_all,omitzero" doc:"only some speak"`
	Dismissed    bool              `json:"dismissed,omitzero" doc:"it is closed for good"`
	UpdatedSeq   int64             `json:"updated_seq,omitzero" doc:"of the event that last changed what only conversations.get answers: settings, announcement, attributes"`
	Announcement string            `json:"announcement,omitzero"`
	Attributes   map[string]string `json:"attributes,omitzero" doc:"of the app's own"`
}

// ConversationsResult answers conversations.list.
type ConversationsResult struct {
	Conversations []Conversation `json:"conversations"`
	Page          string         `json:"page,omitzero" doc:"where the next page begins; absent on the last"`
}

// MembersListParams are those of members.list.
type MembersListParams struct {
	Conversation string   `json:"conversation"`
	Roles        []string `json:"roles,omitzero" doc:"only those: owner, admin, member"`
	After        string   `json:"after,omitzero" doc:"the last user id of the page before"`
	Limit        int      `json:"limit,omitzero" doc:"1 to 200; 100 when absent"`
}

// MembersParams are those of calls that answer users of a group in pages.
type MembersParams struct {
	Conversation string `json:"conversation"`
	After        string `json:"after,omitzero" doc:"the last user id of the page before"`
	Limit        int    `json:"limit,omitzero" doc:"1 to 200; 100 when absent"`
}

// Member is one member of a conversation.
type Member struct {
	User    string `json:"user"`
	Role    string `json:"role"`
	ReadSeq int64  `json:"read_seq"`

	DeliveredSeq int64 `json:"delivered_seq,omitzero" doc:"up to which its devices have it; in direct conversations and groups of up to 100"`

	Nickname   string `json:"nickname,omitzero"`
	MutedUntil string `json:"muted_until,omitzero" doc:"may not speak; the year 9999 has no end"`
}

// MembersResult answers members.list: ordered by user id.
type MembersResult struct {
	Members []Member `json:"members"`
	More    bool     `json:"more,omitzero"`
}

// MembersChangeParams are those of members.add and members.remove.
type MembersChangeParams struct {
	Conversation string   `json:"conversation"`
	ClientID     string   `json:"client_id" doc:"a UUID; the same one twice is the same change"`
	Users        []string `json:"users" doc:"1 to 1,000"`
}

// SyncParams are those of sync.
type SyncParams struct {
	Cursor string `json:"cursor,omitzero" doc:"the last one kept; absent on a device that has none"`
	Page   string `json:"page,omitzero" doc:"from the answer before, to go on with a walk"`
	Limit  int    `json:"limit,omitzero" doc:"conversations a page, 1 to 200; 100 when absent"`
}

// SyncResult answers sync: what changed for this user since the cursor, newest first.
type SyncResult struct {
	Epoch         string         `json:"epoch"`
	Reset         bool           `json:"reset,omitzero" doc:"the cursor no longer holds: this walk tells everything; drop what fork_seq says"`
	User          *User          `json:"user,omitzero" doc:"the own profile, when it changed"`
	Conversations []Conversation `json:"conversations"`
	Items         []Item         `json:"items,omitzero" doc:"of the caller's own state, what changed: friends, drafts, …; in the order of the changes"`
	Page          string         `json:"page,omitzero" doc:"there is more: call again with it"`
	Cursor        string         `json:"cursor,omitzero" doc:"comes with the last page; to be kept in one step with what was told"`
}

// Item is a small named part of a user's own state, the whole of it each time. It is
// also the notification item, told to the user's own sessions.
type Item struct {
	Kind string         `json:"kind"`
	Key  string         `json:"key" doc:"what it is about: a user, a conversation, …"`
	Body jsontext.Value `json:"body,omitzero" doc:"absent: it is gone"`
}

// Event is one entry of a conversation's log, as clients decode it.
type Event struct {
	Conversation string         `json:"conversation,omitzero"`
	Seq          int64          `json:"seq"`
	ToSeq        int64          `json:"to_seq,omitzero" doc:"a void with to_seq stands for the whole range"`
	Kind         string         `json:"kind"`
	From         string         `json:"from,omitzero"`
	ClientID     string         `json:"client_id,omitzero"`
	Time         string         `json:"time,omitzero"`
	Count        int64          `json:"count,omitzero" doc:"countable messages of the conversation up to here"`
	Changed      int64          `json:"changed,omitzero" doc:"the seq of the event that last changed this one"`
	Edited       bool           `json:"edited,omitzero" doc:"its content was edited; messages.versions tells what it was"`
	EditedAt     string         `json:"edited_at,omitzero"`
	ReplyTo      int64          `json:"reply_to,omitzero" doc:"the seq of the message that this one answers; it may be a void by now"`
	Values       *Values        `json:"values,omitzero" doc:"a small map that it carries, which messages.set_values changes"`
	Reactions    []Reaction     `json:"reactions,omitzero" doc:"totals; who reacted reactions.list tells"`
	Targets      [][2]int64     `json:"targets,omitzero" doc:"the ranges of seqs this event changes"`
	Thread       string         `json:"thread,omitzero" doc:"the conversation that hangs on this message"`
	BurnMS       int64          `json:"burn_ms,omitzero" doc:"the message burns so long after it was opened"`
	OpenedAt     string         `json:"opened_at,omitzero" doc:"when the other one opened it"`
	Priority     string         `json:"priority,omitzero" doc:"of a message in a room: high or low"`
	Stream       string         `json:"stream,omitzero" doc:"of a message that grows: open; or interrupted, when its writer never finished it"`
	Only         []string       `json:"only,omitzero" doc:"who alone may see it, the sender among them"`
	Content      jsontext.Value `json:"content,omitzero"`
}

// Checkpoint is the notification checkpoint: everything up to the cursor has been
// sent on this connection. The client keeps it in one step with those events and
// answers session.ack.
type Checkpoint struct {
	Cursor string `json:"cursor"`
}

// Gap is the notification gap: these events were skipped on the way; fetch them or show that they were.
type Gap struct {
	Conversation string `json:"conversation"`
	FromSeq      int64  `json:"from_seq"`
	ToSeq        int64  `json:"to_seq"`
}

// ReadNotice is the notification read: a member's read position moved.
type ReadNotice struct {
	Conversation string `json:"conversation"`
	User         string `json:"user"`
	ReadSeq      int64  `json:"read_seq"`
}

// Close is the notification close, the last frame before the server ends a connection.
type Close struct {
	Code         string `json:"code"`
	Message      string `json:"message"`
	RetryAfterMS int64  `json:"retry_after_ms,omitzero"`
	Device       string `json:"device,omitzero" doc:"signed_in_elsewhere: what the other device is called"`
}

// Presence is what is to be seen of a user: the whole of it, each time. It is also the
// notification presence.
type Presence struct {
	User     string           `json:"user"`
	Online   bool             `json:"online" doc:"active or away on one device at least"`
	State    string           `json:"state" doc:"active, away, background (connected, nobody looks) or offline"`
	Status   string           `json:"status,omitzero"`
	LastSeen string           `json:"last_seen,omitzero" doc:"offline: to the minute; absent when it is not known"`
	Devices  []PresenceDevice `json:"devices,omitzero" doc:"at most 8, the most present first"`
}

// PresenceDevice is one session in a Presence.
type PresenceDevice struct {
	Platform string `json:"platform,omitzero"`
	State    string `json:"state"`
}

// PresenceSetParams are those of presence.set: what is absent stays.
type PresenceSetParams struct {
	State  string  `json:"state,omitzero" doc:"of this session: active, away or background"`
	Status *string `json:"status,omitzero" doc:"of the user: one line of at most 100 characters; empty for none"`
}

// WatchParams are those of presence.subscribe, presence.unsubscribe and presence.get.
type WatchParams struct {
	Users []string `json:"users" doc:"1 to 200 user ids"`
}

// PresenceResult answers presence.get and presence.subscribe, in the order asked.
type PresenceResult struct {
	LeaseMS  int64      `json:"lease_ms,omitzero" doc:"presence.subscribe: subscribe again before it ends"`
	Presence []Presence `json:"presence"`
}

// TypingParams are those of typing.set.
type TypingParams struct {
	Conversation string `json:"conversation"`
	Typing       bool   `json:"typing" doc:"false: the user has stopped"`
	Kind         string `json:"kind,omitzero" doc:"text (when absent) or voice: the user is recording"`
}

// Typing is the notification typing.
type Typing struct {
	Conversation string `json:"conversation"`
	User         string `json:"user"`
	Typing       bool   `json:"typing"`
	Kind         string `json:"kind" doc:"text or voice"`
	ExpiresMS    int64  `json:"expires_ms" doc:"after so long without another one the user is typing no more"`
}

// SessionsResult answers sessions.list.
type SessionsResult struct {
	Sessions []SessionInfo `json:"sessions" doc:"live ones, the newest first"`
	Devices  []DeviceInfo  `json:"devices" doc:"known ones, the last seen first; at most 32"`
}

// SessionInfo is a live session of the caller's user.
type SessionInfo struct {
	Session  string `json:"session"`
	Device   string `json:"device,omitzero"`
	Platform string `json:"platform,omitzero"`
	Name     string `json:"name,omitzero"`
	Client   string `json:"client,omitzero"`
	Link     string `json:"link" doc:"tcp, websocket, sse or poll"`
	State    string `json:"state" doc:"active, away or background"`
	Since    string `json:"since"`
	Current  bool   `json:"current,omitzero" doc:"the one that asks"`
}

// DeviceInfo is a device on which the caller's user has signed in.
type DeviceInfo struct {
	Device   string `json:"device"`
	Platform string `json:"platform,omitzero"`
	Name     string `json:"name,omitzero"`
	Since    string `json:"since"`
	Seen     string `json:"seen" doc:"the last time it came or went; may lag by seconds"`
	Online   bool   `json:"online,omitzero"`
	Revoked  bool   `json:"revoked,omitzero" doc:"tokens from before are refused on it"`
	Current  bool   `json:"current,omitzero"`
}

// SessionParams are those of sessions.revoke.
type SessionParams struct {
	Session string `json:"session"`
}

// DeviceParams are those of devices.revoke.
type DeviceParams struct {
	Device string `json:"device"`
}

// RevokeResult answers what signs out.
type RevokeResult struct {
	Closed int `json:"closed" doc:"live sessions that were closed"`
}

// Reset is the notification reset of event streams and polls: the cursor does not hold,
// most likely because the store went back to a copy. Drop what is held above each
// fork_seq, and what was changed above it; of conversations that are not named, drop all.
// What is above the forks is told after it.
type Reset struct {
	Conversations []Fork `json:"conversations"`
}

// Fork is how far what is held of a conversation still holds.
type Fork struct {
	Conversation string `json:"conversation"`
	ForkSeq      int64  `json:"fork_seq"`
}

// ListenParams are the query of GET /v1/events and GET /v1/poll. What a socket tells
// session.open is here too.
type ListenParams struct {
	Cursor     string `json:"cursor,omitzero" doc:"the last one kept; absent: from now on. The header Last-Event-ID stands for it"`
	Rooms      string `json:"rooms,omitzero" doc:"open rooms to be in, with commas between, at most 16; guests are in the lobby"`
	Session    string `json:"session,omitzero" doc:"the id of the session; that of the token when absent"`
	Client     string `json:"client,omitzero" doc:"name and version of the client, at most 64 bytes"`
	Device     string `json:"device,omitzero" doc:"the installation's own id, 1 to 64 bytes"`
	Platform   string `json:"platform,omitzero" doc:"of the device: ios, android, web, cli, …"`
	DeviceName string `json:"device_name,omitzero" doc:"of the device, for its user"`
	Wait       *int   `json:"wait,omitzero" doc:"polls only: seconds to wait for something to tell, 0 to 60; 25 when absent"`
}

// PollResult answers GET /v1/poll.
type PollResult struct {
	Notifications []Notification `json:"notifications" doc:"what came, in order; empty when nothing did"`
	Cursor        string         `json:"cursor" doc:"for the next poll, once these are kept"`
}

// Notification is one of PollResult.
type Notification struct {
	Method string         `json:"method"`
	Params jsontext.Value `json:"params"`
}
