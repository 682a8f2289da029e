package arch

import (
	"go/constant"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/linnet-im/linnet/internal/config"
)

// peerFacing are the packages whose numbers a peer can meet.
func peerFacing() []string {
	return []string{
		"wire", "wire/line", "internal/api", "internal/app", "internal/auth", "internal/chat", "internal/jwks",
		"internal/link/lines", "internal/link/sock", "internal/link/text", "internal/link/ws",
		"internal/listen", "internal/presence", "internal/rest", "internal/router", "internal/search", "internal/session",
	}
}

// limit is a row of a table in docs/sizing.md. heading and name find it; the constants, or
// the field of config.Limits, say what its second column has to be.
type limit struct {
	heading, name string
	unit          unitOf
	from          []string // "internal/api.MaxPage"; of several each has the same value
}

type unitOf func(int64) string

func plain(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func size(n int64) string {
	switch {
	case n%(1<<20) == 0:
		return plain(n>>20) + " MB"
	case n%(1<<10) == 0 && n >= 8<<10:
		return plain(n>>10) + " KB"
	}
	return plain(n) + " bytes"
}

func span(n int64) string {
	switch d := time.Duration(n); {
	case d >= 48*time.Hour:
		return plain(int64(d/(24*time.Hour))) + " days"
	case d >= time.Hour:
		return plain(int64(d/time.Hour)) + " h"
	case d >= 2*time.Minute:
		return plain(int64(d/time.Minute)) + " min"
	case d >= time.Second:
		return plain(int64(d/time.Second)) + " s"
	default:
		return plain(d.Milliseconds()) + " ms"
	}
}

func ms(n int64) string { return span(n * int64(time.Millisecond)) }

func characters(n int64) string { return plain(n) + " characters" }

func bits(n int64) string { return plain(n) + " bits" }

func limits() []limit {
	one := func(from ...string) []string { return from }
	return []limit{
		{"Connections", "connections", plain, one("Config.MaxConnections")},
		{"Connections", "connections of an address that are not signed in", plain, one("Limits.PerAddress")},
		{"Connections", "silence before the first byte", span, one("internal/listen.firstWait")},
		{"Connections", "the rest of the first bytes", span, one("internal/listen.restWait")},
		{"Connections", "blanks before them", size, one("internal/listen.maxPeek")},
		{"Connections", "TLS handshake", span, one("internal/listen.handshakeWait")},
		{"Connections", "PROXY header", size, one("internal/listen.headerSize")},
		{"Connections", "without a session", span, one("internal/session.signInTime")},
		{"Connections", "silence until the server pings", span, one("internal/api.Heartbeat")},
		{"Connections", "silence until it closes", span, one("internal/session.silence")},
		{"Connections", "waiting for a slow peer", size, one("Limits.OutboxBytes")},
		{"Connections", "… of which the kernel takes", size, one("internal/link/sock.sendBuffer", "internal/listen.sendBuffer")},
		{"Connections", "a peer that takes nothing of it", span, one("internal/link/sock.stallTime")},
		{"Connections", "sent, and not acknowledged by the peer's system (Linux)", span, one("internal/listen.unanswered")},
		{"Connections", "waiting behind the answer to `session.open`", size, one("internal/session.maxEarly")},
		{"Connections", "going out before a connection closes", span, one("internal/session.drainWait", "internal/app.lastWords", "internal/app.drainTime", "internal/link/text.lastWait")},
		{"Connections", "going out to a session that was signed out", span, one("internal/session.RevokedWait")},
		{"Connections", "rooms of a session", plain, one("internal/session.maxRooms")},
		{"Connections", "sessions of a user who opens another on a socket", plain, one("internal/session.maxSessions")},
		{"Connections", "id of a session", size, one("internal/session.maxSessionID")},

		{"Calls", "JSON frame, HTTP body", size, one("Limits.FrameBytes")},
		{"Calls", "fragments of a WebSocket message", plain, one("internal/link/ws.maxFragments")},
		{"Calls", "calls of a connection under way; over HTTP, of a user", plain, one("Limits.InFlight")},
		{"Calls", "… that are not begun, in bytes", size, one("internal/session.maxQueued")},
		{"Calls", "depth of JSON", plain, one("wire.maxDepth")},
		{"Calls", "id of a call, if it is text", size, one("wire.maxIDBytes")},
		{"Calls", "name of a method", size, one("wire.maxMethod")},
		{"Calls", "an HTTP call", span, one("internal/rest.callTime")},
		{"Calls", "cursor", size, one("internal/chat.maxCursor")},

		{"Search", "searches of a user, a second", plain, one("Limits.UserSearchesPerSecond")},
		{"Search", "… at once", plain, one("Limits.UserSearchesBurst")},
		{"Search", "what is looked for", characters, one("internal/search.MaxQuery")},
		{"Search", "words in it", plain, one("internal/search.MaxTerms")},
		{"Search", "senders asked for", plain, one("internal/search.MaxSenders")},
		{"Search", "types asked for", plain, one("internal/search.MaxTypes")},
		{"Search", "page of what is found", plain, one("internal/search.MaxPage")},
		{"Search", "messages read for a page", plain, one("internal/search.maxLooked")},
		{"Search", "conversations of the searcher that are searched", plain, one("internal/search.maxConversations")},
		{"Search", "looking through the index", span, one("internal/search.maxTime")},
		{"Search", "waiting for what was just sent to be found", span, one("internal/search.maxWait")},
		{"Search", "conversations of the searcher that are looked at for people", plain, one("internal/search.peopleConversations", "internal/chat.searchGroups")},
		{"Search", "people of a name that are looked at", plain, one("internal/search.peopleNamed")},
		{"Search", "members of a group whose names are all read", plain, one("internal/search.membersRead")},
		{"Search", "in a larger one: users of a name that are looked at", plain, one("internal/search.membersNamed")},

		{"Messages", "content of a message", size, one("internal/api.MaxContent")},
		{"Messages", "editing a message, after it was sent", span, one("Config.EditWindow")},
		{"Messages", "recalling it", span, one("Config.RecallWindow")},
		{"Messages", "a client_id is remembered", span, one("Limits.DedupeWindow")},
		{"Messages", "sends of a user, a second", plain, one("Limits.UserSendsPerSecond")},
		{"Messages", "… at once", plain, one("Limits.UserSendsBurst")},
		{"Messages", "sends into a conversation, a second", plain, one("Limits.ConversationSendsPerSecond")},
		{"Messages", "… at once", plain, one("Limits.ConversationSendsBurst")},
		{"Messages", "new direct conversations of a user, an hour", plain, one("Limits.NewDirectsPerHour")},
		{"Messages", "page of history, conversations or members", plain, one("internal/api.MaxPage")},
		{"Messages", "… and of history", size, one("internal/chat.pageBytes")},
		{"Messages", "users a message for a few is for", plain, one("internal/chat.maxOnly")},
		{"Messages", "unread messages for a few that are counted", plain, one("internal/chat.maxWhispers")},
		{"Messages", "messages of a user that wait to be sent", plain, one("internal/chat.maxScheduled")},
		{"Messages", "how far ahead one may be", span, one("internal/chat.maxScheduleAhead")},
		{"Messages", "type of a signal", characters, one("internal/api.maxSignalType")},
		{"Messages", "data of a signal", size, one("internal/api.maxSignalData")},
		{"Messages", "followers of a thread", plain, one("internal/chat.maxFollowers")},
		{"Messages", "how soon a message burns after it was opened", span, one("internal/chat.minBurn")},
		{"Messages", "… and how late", span, one("internal/chat.maxBurn")},
		{"Messages", "text of a message that grows", size, one("internal/chat.maxStream")},
		{"Messages", "messages of a user that grow at a time", plain, one("internal/chat.maxStreams")},
		{"Messages", "how long it may", span, one("internal/chat.maxStreamOpen")},
		{"Messages", "silence that ends it", span, one("internal/chat.streamSilence")},
		{"Messages", "appends for each message a user may send", plain, one("internal/chat.appendsPerSend")},
		{"Messages", "content of the type forward", size, one("internal/api.MaxForward", "internal/chat.maxForwardBytes")},
		{"Messages", "messages in one", plain, one("internal/api.maxForwarded", "internal/chat.maxForwarded")},
		{"Messages", "forwards in each other", plain, one("internal/api.maxNested", "internal/chat.maxForwardDepth")},
		{"Messages", "URL in a content", size, one("internal/api.maxURL")},
		{"Messages", "name of a file", size, one("internal/api.maxFileName")},
		{"Messages", "media type of a file", size, one("internal/api.maxMIME")},
		{"Messages", "title of a place or a forward, name of a writer in it", characters, one("internal/api.maxTitle")},
		{"Messages", "address of a place", characters, one("internal/api.maxAddress")},
		{"Messages", "width and height of a picture", plain, one("internal/api.maxPixels")},
		{"Messages", "duration of a voice or video message", ms, one("internal/api.maxDuration")},
		{"Messages", "samples of a waveform", plain, one("internal/api.maxWaveform")},
		{"Messages", "mentions in a message", plain, one("internal/api.maxMentions")},
		{"Messages", "unread mentions that are told", plain, one("internal/chat.maxMarks")},
		{"Messages", "… of everybody", plain, one("internal/chat.maxMarksOfAll")},
		{"Messages", "earlier versions of an edited message", plain, one("internal/chat.maxVersions")},
		{"Messages", "ranges of messages named in one call", plain, one("internal/chat.maxRanges")},
		{"Messages", "ranges a member has deleted for itself", plain, one("internal/chat.maxHidden")},
		{"Messages", "messages deleted for all in one call", plain, one("internal/chat.maxPurged")},
		{"Messages", "different reactions to a message", plain, one("internal/chat.maxEmoji")},
		{"Messages", "a reaction", size, one("internal/chat.maxEmojiBytes")},
		{"Messages", "members who are told each reaction at once", plain, one("internal/chat.reactionsAtOnce")},
		{"Messages", "how long they are gathered in larger ones", span, one("internal/chat.reactionWindow")},
		{"Messages", "pinned messages of a conversation", plain, one("internal/chat.maxPins")},
		{"Messages", "values of a message", plain, one("internal/chat.maxValues")},
		{"Messages", "… name of one", size, one("internal/chat.maxValueName")},
		{"Messages", "… in bytes, of one", size, one("internal/chat.maxValueBytes")},
		{"Messages", "… together", size, one("internal/chat.maxValuesSize")},
		{"Messages", "… in bytes", size, one("internal/chat.maxVersionBytes")},
		{"Messages", "missed events of a conversation", plain, one("internal/chat.resetGap")},
		{"Messages", "missed events told to a stream or a poll", plain, one("internal/chat.MissedEvents")},
		{"Messages", "… in bytes", size, one("internal/chat.MissedBytes")},
		{"Messages", "missed notices found later", plain, one("internal/router.repairLimit")},

		{"Conversations and users", "reports of a user, an hour", plain, one("Limits.ReportsPerHour")},
		{"Conversations and users", "text of a report", characters, one("internal/chat.maxReportText")},
		{"Conversations and users", "a report is kept that was resolved", span, one("internal/chat.resolvedKept")},
		{"Conversations and users", "the id of a deleted account is nobody's", span, one("internal/chat.deletedKept")},
		{"Conversations and users", "broadcasts under way", plain, one("internal/chat.maxBroadcasts")},
		{"Conversations and users", "a broadcast is kept that has ended", span, one("internal/chat.broadcastKept")},
		{"Conversations and users", "profiles asked for at once", plain, one("internal/api.maxProfiles")},
		{"Conversations and users", "users named in one call", plain, one("Limits.MembersPerCall")},
		{"Conversations and users", "members of a group", plain, one("Limits.GroupMembers")},
		{"Conversations and users", "users named in the event of a change of members", plain, one("internal/chat.maxNamed")},
		{"Conversations and users", "name of a user or group", characters, one("internal/chat.maxName")},
		{"Conversations and users", "id of a user", size, one("internal/chat.maxUserID")},
		{"Conversations and users", "name of a guest", characters, one("wire/line.maxName")},
		{"Conversations and users", "… in bytes", size, one("internal/chat.maxGuestName")},
		{"Conversations and users", "members who are told each other's read positions", plain, one("internal/chat.smallConversation")},
		{"Conversations and users", "members who are told who types", plain, one("internal/chat.typingMembers")},
		{"Conversations and users", "members who see each other's presence", plain, one("internal/chat.presenceMembers")},
		{"Conversations and users", "conversations looked at for that", plain, one("internal/chat.presenceGroups")},
		{"Conversations and users", "typing is told again after", span, one("internal/chat.typingEvery")},
		{"Conversations and users", "typing holds for", span, one("internal/chat.typingHolds")},
		{"Conversations and users", "names in one notice of a room", plain, one("internal/router.noticeNames")},
		{"Conversations and users", "users a session watches", plain, one("internal/presence.MaxWatched")},
		{"Conversations and users", "a watch holds for", span, one("internal/presence.Lease")},
		{"Conversations and users", "gone is told after", span, one("internal/presence.grace")},
		{"Conversations and users", "devices shown of a user's presence", plain, one("internal/presence.maxShown")},
		{"Conversations and users", "status text", characters, one("internal/chat.maxStatus")},
		{"Conversations and users", "devices known of a user", plain, one("internal/chat.maxDevices")},
		{"Conversations and users", "event streams and pollers of a user", plain, one("internal/session.maxListeners")},
		{"Conversations and users", "tokens of a session that signing out revokes", plain, one("internal/session.maxTokens")},

		{"Rooms", "live sessions of a conversation above which its events go out together", plain, one("internal/router.crowdSessions")},
		{"Rooms", "… at most every", span, one("internal/router.crowdEvery")},
		{"Rooms", "… of so many bytes; more is told as gaps", size, one("internal/router.crowdBytes")},
		{"Rooms", "rooms a user may make, an hour", plain, one("Limits.NewRoomsPerHour")},
		{"Rooms", "messages that joining answers", plain, one("internal/api.maxLast")},
		{"Rooms", "users a sample names", plain, one("internal/chat.maxSample")},
		{"Rooms", "attributes of a room", plain, one("internal/chat.maxRoomAttributes")},
		{"Rooms", "key of an attribute", size, one("internal/chat.maxRoomKey")},
		{"Rooms", "value of an attribute", size, one("internal/chat.maxRoomValue")},
		{"Rooms", "time to come back before one goes with its owner", span, one("internal/chat.attributeCheck")},
		{"Rooms", "likes that one call brings", plain, one("internal/chat.maxLikes")},
		{"Rooms", "users whose messages always go through", plain, one("internal/chat.maxRoomUsers")},
		{"Rooms", "types of content that always go through", plain, one("internal/chat.maxRoomTypes")},

		{"Groups", "admins beside the owner", plain, one("internal/chat.maxAdmins")},
		{"Groups", "plain members who speak while all are muted", plain, one("internal/chat.maxExcept")},
		{"Groups", "reason of a ban, text of a request", characters, one("internal/chat.maxReason")},
		{"Groups", "requests that wait", plain, one("internal/chat.maxRequests")},
		{"Groups", "groups a user joins or asks to, an hour", plain, one("Limits.JoinsPerHour")},
		{"Groups", "slow mode", span, one("internal/chat.maxSlowMode")},
		{"Groups", "picture's URL", size, one("internal/chat.maxPicture")},
		{"Groups", "announcement", characters, one("internal/chat.maxAnnouncement")},
		{"Groups", "attributes", plain, one("internal/chat.maxAttributes")},
		{"Groups", "… name of one", size, one("internal/chat.maxAttributeName")},
		{"Groups", "… value of one", size, one("internal/chat.maxAttributeValue")},
		{"Groups", "… all of them", size, one("internal/chat.maxAttributeBytes")},

		{"People and the list", "users whom a user blocks", plain, one("internal/chat.maxBlocks")},
		{"People and the list", "friends", plain, one("internal/chat.maxFriends")},
		{"People and the list", "friend requests that a user makes, a day", plain, one("internal/chat.maxRequestsDaily")},
		{"People and the list", "… that wait for a user's answer", plain, one("internal/chat.maxRequestsWaiting")},
		{"People and the list", "… and how long one waits", span, one("internal/chat.requestHolds")},
		{"People and the list", "message of a friend request", characters, one("internal/chat.maxRequestMessage")},
		{"People and the list", "what a user calls a friend", characters, one("internal/chat.maxRemark")},
		{"People and the list", "tags of a friend", plain, one("internal/chat.maxFriendTags")},
		{"People and the list", "a tag", characters, one("internal/chat.maxTag")},
		{"People and the list", "tags of the back end's on a user", plain, one("internal/chat.maxTags")},
		{"People and the list", "… in one call", plain, one("internal/chat.maxTagsPerCall")},
		{"People and the list", "bio of a user", characters, one("internal/chat.maxBio")},
		{"People and the list", "gender of a user", characters, one("internal/chat.maxGender")},
		{"People and the list", "blockers that a group's typing is kept from", plain, one("internal/chat.maxHiding")},
		{"People and the list", "ranges of quiet hours", plain, one("internal/chat.maxQuietRanges")},

		{"People and the list", "conversations of a user that are listed and counted", plain, one("internal/chat.MaxListed")},
		{"People and the list", "pinned conversations", plain, one("internal/chat.maxPinned")},
		{"People and the list", "draft", size, one("internal/chat.maxDraft")},
		{"People and the list", "unread mentions that are counted", plain, one("internal/chat.maxCounted")},

		{"Groups", "members that one page of receipts looks at", plain, one("internal/chat.receiptsScan")},
		{"Groups", "members above which counts of receipts may be old", plain, one("internal/chat.receiptsStep", "internal/chat.countsAt")},
		{"Groups", "… by how much", span, one("internal/chat.countsFor")},

		{"HTTP", "header", size, one("Limits.HeaderBytes")},
		{"HTTP", "… in time", span, one("Limits.HeaderTimeout")},
		{"HTTP", "request", span, one("Limits.BodyTimeout")},
		{"HTTP", "taking the answer", span, one("Limits.AnswerTimeout", "internal/rest.answerTime")},
		{"HTTP", "taking anything, on HTTP/2", span, one("Limits.WriteTimeout")},
		{"HTTP", "between two requests", span, one("Limits.IdleTimeout")},
		{"HTTP", "requests at a time on an HTTP/2 connection", plain, one("Limits.HTTP2Streams")},
		{"HTTP", "wait of a poll, usually", span, one("internal/rest.usualWait")},
		{"HTTP", "wait of a poll, at most", span, one("internal/rest.maxWait")},
		{"HTTP", "a poller is there for", span, one("internal/session.PollGrace")},
		{"HTTP", "notices kept for a poller", size, one("internal/session.pollNotices")},
		{"HTTP", "a stream that takes nothing", span, one("internal/rest.writeTime")},

		{"Text", "frame", size, one("wire/line.MaxFrame")},
		{"Text", "silence that ends a frame", span, one("internal/link/text.silence")},
		{"Text", "the rest of a cut character", span, one("internal/link/text.cutWait")},
		{"Text", "messages under way", plain, one("internal/link/text.inFlight")},
		{"Text", "mistakes", plain, one("internal/link/text.maxErrors")},
		{"Text", "… within", span, one("internal/link/text.errorTime")},
		{"Text", "UDP sources at a time", plain, one("internal/link/text.maxSources")},
		{"Text", "a UDP source is there for", span, one("internal/link/text.gone")},
		{"Text", "times the bytes a UDP source sent, until it sends its code back", plain, one("internal/link/text.maxAnswer")},
		{"Text", "a code is given out for", span, one("internal/link/text.codeTime")},

		{"Tokens", "token", size, one("internal/auth.maxToken")},
		{"Tokens", "clocks may differ by", span, one("internal/auth.Leeway")},
		{"Tokens", "a session token over HTTP is good for", span, one("internal/auth.sessionTime")},
		{"Tokens", "key set", size, one("internal/jwks.maxSet")},
		{"Tokens", "keys in a set", plain, one("internal/auth.maxKeys")},
		{"Tokens", "RSA keys, least", bits, one("internal/auth.minRSA")},
		{"Tokens", "RSA keys, most", bits, one("internal/auth.maxRSA")},
		{"Tokens", "a key set is fresh for, unless it says otherwise", span, one("internal/jwks.usualAge")},
		{"Tokens", "… at least", span, one("internal/jwks.minAge")},
		{"Tokens", "… at most", span, one("internal/jwks.maxAge")},
		{"Tokens", "between two questions for it", span, one("internal/jwks.askAgain")},
		{"Tokens", "… after one that failed", span, one("internal/jwks.retryAfter")},
		{"Tokens", "an answer may take", span, one("internal/jwks.askTime")},

		{"Server keys", "keys", plain, one("internal/chat.maxKeys")},
		{"Server keys", "a key is good for, if not for ever", span, one("internal/chat.maxKeyTime")},
		{"Server keys", "calls of a key, a second", plain, one("Limits.KeyCallsPerSecond")},
		{"Server keys", "… at once", plain, one("Limits.KeyCallsBurst")},
		{"Server keys", "HTTP body", size, one("Limits.KeyBodyBytes")},
		{"Server keys", "items of a bulk call", plain, one("internal/api.maxBulk")},
		{"Server keys", "a token of `tokens.create` is good for", span, one("internal/api.maxTokenTime")},
		{"Server keys", "… unless it says", span, one("internal/api.usualTokenTime")},
	}
}

// noLimits are numbers in those packages that bound nothing that a peer does, with what
// they are instead.
func noLimits() map[string]string {
	const (
		number   = "a number of the protocol"
		inside   = "how the server works, in steps that nobody sees"
		told     = "how often or how exactly something is told"
		stopping = "a server that stops, or is the operator's"
	)
	return map[string]string{
		"internal/search.batchDocs": inside, "internal/search.batchBytes": inside, "internal/search.pageHeads": inside, "internal/search.pageEvents": inside,
		"internal/search.pageUsers": inside, "internal/search.keptStarts": number, "internal/search.markBits": number,
		"internal/search.gather": told, "internal/search.again": told,
		"wire.Proto": number, "wire.maxIDInt": number, "internal/api.maxSeq": number,
		"internal/link/ws.CloseData": number, "internal/link/ws.CloseNormal": number, "internal/link/ws.CloseProtocol": number,
		"internal/link/ws.CloseTooLong": number, "internal/link/ws.CloseUTF8": number,
		"internal/link/ws.opBinary": number, "internal/link/ws.opClose": number, "internal/link/ws.opContinue": number,
		"internal/link/ws.opPing": number, "internal/link/ws.opPong": number, "internal/link/ws.opText": number,
		"internal/link/text.codeSize": number,
		"internal/chat.cursorFormat":  number, "internal/chat.cursorStarts": number, "internal/chat.resetFlag": number, "internal/chat.walkFlag": number,
		"internal/app.lookEvery": inside, "internal/app.quietBytes": inside, "internal/app.quietLooks": inside, "internal/app.worthBytes": inside,
		"internal/chat.tidyStep": inside, "internal/chat.broadcastStep": inside, "internal/chat.broadcastPause": number, "internal/chat.maxMilli": number, "internal/chat.deletionStep": inside, "internal/chat.dueStep": inside, "internal/chat.visitsStep": inside, "internal/chat.previewDepth": inside, "internal/chat.minePage": inside, "internal/chat.unreactStep": inside,
		"internal/chat.maxBatch": inside, "internal/chat.maxBegun": inside, "internal/chat.tagStep": inside, "internal/chat.maxBuckets": inside, "internal/chat.missedPage": inside,
		"internal/link/sock.chunk": inside, "internal/link/sock.readBuffer": inside,
		"internal/presence.sweepEvery": inside, "internal/router.maxAudiences": inside,
		"internal/chat.maxPrivate": inside, "internal/chat.privateFor": inside, "internal/chat.maxCounts": inside,
		"internal/chat.deliveredStep": inside, "internal/chat.deliveredNewest": inside, "internal/chat.maxDelivered": inside,
		"internal/router.largeGroup": inside, "internal/router.maxIndexes": inside, "internal/router.maxStale": inside, "internal/router.sweepHeads": inside, "internal/router.sweepEvery": inside,
		"internal/app.sayAgain": told, "internal/presence.seenStep": told, "internal/chat.keyUsedEvery": told, "internal/session.keysEvery": told, "internal/session.listenersWait": told,
		"internal/app.operateTime": stopping, "internal/auth.operatorTime": stopping,
		"internal/presence.tellEvery": told, "internal/router.vouchEvery": told,
		"internal/app.reloadEvery": stopping, "internal/app.requestTime": stopping, "internal/session.restartHint": stopping,
	}
}

// tables reads the rows of the tables under each heading of a document.
func tables(doc string) map[string][][]string {
	rows := make(map[string][][]string)
	heading := ""
	for line := range strings.Lines(doc) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "#") {
			heading = strings.TrimSpace(strings.TrimLeft(line, "#"))
		}
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| ---") {
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		rows[heading] = append(rows[heading], cells)
	}
	return rows
}

// Every limit is on the page with the value that it has: the fields of config.Limits, the
// settings, and the numbers that the packages a peer meets name. A new one fails here until
// it has a row in docs/sizing.md and in limits, or a word in noLimits. Mutants: a number
// changed in the code, on the page; a constant or a field more; a row that stands for none.
func TestLimitsAreOnThePage(t *testing.T) {
	values := make(map[string]int64)
	c := newConstants(t)
	for _, pkg := range peerFacing() {
		for _, name := range c.of(pkg) {
			values[pkg+"."+name], _ = constant.Int64Val(c.value(pkg, name))
		}
	}
	fixed := reflect.ValueOf(config.DefaultLimits())
	for i := range fixed.NumField() {
		name := "Limits." + fixed.Type().Field(i).Name
		switch v := fixed.Field(i); v.Kind() {
		case reflect.Int, reflect.Int64:
			values[name] = v.Int()
		case reflect.Float64:
			values[name] = int64(v.Float())
		default:
			t.Errorf("%s is a %s", name, v.Kind())
		}
	}
	page := text(t, "docs/sizing.md")
	t.Chdir(t.TempDir()) // no linnet.yaml lies about
	usual, err := config.Load(nil, func(string) string { return "" }, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	settings := reflect.ValueOf(usual)
	for i := range settings.NumField() {
		if f := settings.Type().Field(i); f.IsExported() && settings.Field(i).CanInt() {
			values["Config."+f.Name] = settings.Field(i).Int()
		}
	}
	if len(values) < 100 {
		t.Fatalf("only %d numbers are found", len(values))
	}
	checkPage(t, tables(page), values)
}

func checkPage(t *testing.T, page map[string][][]string, values map[string]int64) {
	t.Helper()
	explained := noLimits()
	next := make(map[string]int) // row of each table
	for _, l := range limits() {
		for _, from := range l.from {
			if explained[from] != "" {
				t.Errorf("%s is a limit, and is none", from)
			}
			explained[from] = l.name
			value, there := values[from]
			if !there {
				t.Errorf("%s: there is no %s", l.name, from)
				continue
			}
			rows := page[l.heading]
			at := slices.IndexFunc(rows[min(next[l.heading], len(rows)):], func(cells []string) bool { return cells[0] == l.name })
			if at < 0 {
				t.Errorf("docs/sizing.md, %s: no row %q, or not where it should be; it is %s", l.heading, l.name, l.unit(value))
				continue
			}
			row := next[l.heading] + at
			if got, want := rows[row][1], l.unit(value); got != want {
				t.Errorf("docs/sizing.md, %s: %s is %q, and %s is %q", l.heading, l.name, got, from, want)
			}
			if from == l.from[len(l.from)-1] {
				next[l.heading] = row + 1
			}
		}
	}
	for name := range values {
		if explained[name] == "" {
			t.Errorf("%s is neither on docs/sizing.md nor said to be no limit: give it a row there and in limits, or a word in noLimits", name)
		}
	}
	for name := range explained {
		if _, there := values[name]; !there {
			t.Errorf("there is no %s any more", name)
		}
	}
	for _, heading := range []string{"Connections", "Calls", "Messages", "Conversations and users", "Rooms", "HTTP", "Text", "Tokens"} {
		for _, cells := range page[heading] {
			if cells[0] != "limit" && !slices.ContainsFunc(limits(), func(l limit) bool { return l.heading == heading && l.name == cells[0] }) {
				t.Errorf("docs/sizing.md, %s: %q stands for nothing in the code", heading, cells[0])
			}
		}
	}
}

func TestLimitUnits(t *testing.T) {
	for got, want := range map[string]string{
		plain(100_000): "100,000", plain(64): "64", plain(1000): "1,000",
		size(4096): "4,096 bytes", size(16 << 10): "16 KB", size(1 << 20): "1 MB", size(64): "64 bytes",
		span(int64(30 * 24 * time.Hour)): "30 days", span(int64(24 * time.Hour)): "24 h", span(int64(75 * time.Second)): "75 s",
		span(int64(2 * time.Minute)): "2 min", span(int64(50 * time.Millisecond)): "50 ms", bits(2048): "2,048 bits",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
