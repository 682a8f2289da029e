package search

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/internal/search/words"
)

// Limits of a search.
const (
	MaxQuery   = 128 // characters of what is looked for
	MaxTerms   = 16  // words of it
	MaxSenders = 20
	MaxTypes   = 20
	MaxPage    = 50 // results of an answer

	// maxConversations is how many of the searcher's conversations, the newest, are searched at once.
	maxConversations = 1000
	// maxLooked is how many messages that the index answered are read for one page.
	maxLooked = 500
	// maxWait is how long a search waits for what was committed before it to be indexed.
	maxWait = time.Second
	// maxTime is how long the index is looked at for one search.
	maxTime = 2 * time.Second
)

// Service searches. All methods may be called concurrently, and block. Errors for the
// caller are *chat.Error.
type Service struct {
	chat    *chat.Service
	index   Index
	indexer *Indexer
}

// New makes a Service on an index that indexer keeps up to date.
func New(service *chat.Service, index Index, indexer *Indexer) *Service {
	return &Service{chat: service, index: index, indexer: indexer}
}

// Query asks for messages.
type Query struct {
	Text         string // words that are all in it; may be empty where Senders or Types are not
	Conversation chat.ConversationID
	Senders      []chat.UserID // any of them; none: all
	Types        []string      // of the content, the same
	Since, Until time.Time     // not before, and before; zero: any
	Page         string        // of the answer before
	Limit        int
}

// Message is a message that was found.
type Message struct {
	Conversation chat.ConversationID
	Seq          chat.Seq
	From         chat.UserID
	Time         time.Time
	Type         string
	Snippet      words.Snippet
}

// Messages are a page of those found, newest first.
type Messages struct {
	Found []Message
	Page  string // where the next page begins; empty: there is no more
	// Behind says that the index has not everything yet that was acknowledged before.
	Behind bool
}

// Messages finds messages as the caller may see them now, newest first: in one
// conversation or in all that the caller has been a member of. A page may be short, or
// empty, and have another one after it.
func (s *Service) Messages(ctx context.Context, a chat.Actor, q Query) (Messages, error) {
	query := words.Parse(q.Text)
	if err := check(&q, query); err != nil {
		return Messages{}, err
	}
	below, err := q.below()
	if err != nil {
		return Messages{}, err
	}
	if err := s.chat.AllowSearch(a); err != nil {
		return Messages{}, err
	}
	eyes := &reader{chat: s.chat, actor: a, spans: make(map[chat.ConversationID][]chat.Span)}
	l := Lookup{Tokens: query.Tokens(), Senders: q.Senders, Types: q.Types, From: q.Since, To: q.Until, Below: below}
	if l.Conversations, err = eyes.conversations(ctx, q.Conversation); err != nil {
		return Messages{}, err
	}
	out := Messages{Behind: !s.upToDate(ctx)}
	if len(l.Conversations) == 0 {
		return out, nil
	}
	ctx, cancel := context.WithTimeout(ctx, maxTime)
	defer cancel()
	for looked := 0; looked < maxLooked; {
		l.Limit = MaxPage
		hits, err := s.index.Find(ctx, l)
		if err != nil {
			return Messages{}, lookError(ctx, err)
		}
		for _, h := range hits {
			if len(out.Found) == q.Limit {
				out.Page = q.page(l.Below)
				return out, nil
			}
			looked++
			l.Below = h.Mark
			m, ok, err := eyes.read(ctx, h, &q, query)
			if err != nil {
				return Messages{}, err
			}
			if ok {
				out.Found = append(out.Found, m)
			}
		}
		if len(hits) < l.Limit {
			return out, nil
		}
	}
	out.Page = q.page(l.Below)
	return out, nil
}

// upToDate waits a moment for what is committed to be indexed.
func (s *Service) upToDate(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, maxWait)
	defer cancel()
	return s.indexer.Wait(ctx, s.chat.Position())
}

// lookError gives an error of the index the form callers get.
func lookError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return &chat.Error{
			Code: chat.CodeBusy, Message: "that is too much to look through; add a word, a conversation or a time",
			RetryAfter: 2 * time.Second, Err: err,
		}
	}
	return &chat.Error{Code: chat.CodeBusy, Message: "the search index could not be read", RetryAfter: again, Err: err}
}

func invalid(param, format string, args ...any) error {
	return &chat.Error{Code: chat.CodeParam, Param: param, Message: fmt.Sprintf(format, args...)}
}

// checkText says what is wrong with a text to look for.
func checkText(text string, query words.Query) error {
	switch {
	case utf8.RuneCountInString(text) > MaxQuery:
		return invalid("query", "query: at most %d characters", MaxQuery)
	case query.Terms() == 0:
		return invalid("query", "query: there is no letter, digit or symbol in it to look for")
	case query.Terms() > MaxTerms:
		return invalid("query", "query: at most %d words", MaxTerms)
	}
	return nil
}

func check(q *Query, query words.Query) error {
	if q.Text != "" {
		if err := checkText(q.Text, query); err != nil {
			return err
		}
	} else if len(q.Senders)+len(q.Types) == 0 {
		return invalid("query", "query: what to look for; or say from or types")
	}
	if len(q.Senders) > MaxSenders {
		return invalid("from", "from: at most %d users", MaxSenders)
	}
	for _, u := range q.Senders {
		if chat.CheckUserID(u) != nil {
			return invalid("from", "from: %q is no user id", u)
		}
	}
	if len(q.Types) > MaxTypes {
		return invalid("types", "types: at most %d", MaxTypes)
	}
	if !q.Since.IsZero() && !q.Until.IsZero() && !q.Since.Before(q.Until) {
		return invalid("until", "until: later than since")
	}
	return nil
}

// sum tells queries apart, so that a page goes on with its own.
func (q *Query) sum() uint64 {
	h := fnv.New64a()
	fmt.Fprintf(h, "%q %q %q %q %d %d", q.Text, q.Conversation, q.Senders, q.Types, q.Since.UnixMilli(), q.Until.UnixMilli())
	return h.Sum64()
}

func (q *Query) page(below Mark) string {
	b := binary.BigEndian.AppendUint64(nil, q.sum())
	return base64.RawURLEncoding.EncodeToString(binary.BigEndian.AppendUint64(b, uint64(below)))
}

// below reads q.Page: it goes on below that mark; 0: it begins.
func (q *Query) below() (Mark, error) {
	if q.Page == "" {
		return 0, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(q.Page)
	if err != nil || len(b) != 16 || binary.BigEndian.Uint64(b) != q.sum() || int64(binary.BigEndian.Uint64(b[8:])) <= 0 {
		return 0, invalid("page", "page: not one of this search; begin again without it")
	}
	return Mark(binary.BigEndian.Uint64(b[8:])), nil
}

// reader reads messages as one searcher sees them, for one search.
type reader struct {
	chat  *chat.Service
	actor chat.Actor
	spans map[chat.ConversationID][]chat.Span // what may be read, as the search began
}

// conversations answers where to search, and notes what may be read there.
func (r *reader) conversations(ctx context.Context, one chat.ConversationID) ([]chat.ConversationID, error) {
	if one != "" {
		spans, err := r.chat.Readable(ctx, r.actor, one)
		if err != nil {
			return nil, err
		}
		r.spans[one] = spans
		return []chat.ConversationID{one}, nil
	}
	entries, err := r.chat.Newest(ctx, r.actor, maxConversations)
	if err != nil {
		return nil, err
	}
	ids := make([]chat.ConversationID, len(entries))
	for i := range entries {
		ids[i] = entries[i].Conversation.ID
		r.spans[ids[i]] = entries[i].Member.Spans
	}
	return ids, nil
}

// read answers the message at a hit as it is now, if it is one that the searcher may see
// and that answers the query.
func (r *reader) read(ctx context.Context, h Hit, q *Query, query words.Query) (Message, bool, error) {
	// What is out of the spans is not read at all; whether what is in them is for the
	// searcher Look says.
	if !slices.ContainsFunc(r.spans[h.Conversation], func(s chat.Span) bool { return h.Seq >= s.From && (s.To == 0 || h.Seq <= s.To) }) {
		return Message{}, false, nil
	}
	record, ok, err := r.chat.Look(ctx, r.actor, h.Conversation, h.Seq)
	if err != nil || !ok {
		return Message{}, false, err
	}
	e := parse(h.Conversation, record)
	switch {
	case e.Kind != chat.Message,
		len(q.Senders) > 0 && !slices.Contains(q.Senders, e.From),
		len(q.Types) > 0 && !slices.Contains(q.Types, e.Type),
		!q.Since.IsZero() && e.Time.Before(q.Since),
		!q.Until.IsZero() && !e.Time.Before(q.Until):
		return Message{}, false, nil
	}
	snippet, ok := query.Find(e.Text)
	if !ok {
		return Message{}, false, nil
	}
	return Message{
		Conversation: h.Conversation, Seq: h.Seq, From: e.From, Time: e.Time, Type: e.Type, Snippet: snippet,
	}, true, nil
}

const (
	// peopleConversations is how many of the searcher's conversations, the newest, are
	// looked at for people.
	peopleConversations = 200
	// peopleNamed is how many users of a name are looked at.
	peopleNamed = 100
	// membersRead is up to how many members all names of a group are read.
	membersRead = 500
	// membersNamed is how many users of a name are looked at in a larger group.
	membersNamed = 500
)

// Users are people who were found.
type Users struct {
	Found []chat.Profile // with whom the searcher is in a conversation
	Exact *chat.Profile  // of whom the text is the id, whether or not anybody has it
}

// Users finds people by the beginnings of words of their names and ids: those with whom the caller
// is in one of its newest conversations. Anybody is found by the exact id.
func (s *Service) Users(ctx context.Context, a chat.Actor, text string, limit int) (Users, error) {
	query := words.ParseName(text)
	if err := checkText(text, query); err != nil {
		return Users{}, err
	}
	if err := s.chat.AllowSearch(a); err != nil {
		return Users{}, err
	}
	s.upToDate(ctx)
	var out Users
	if chat.CheckUserID(chat.UserID(text)) == nil {
		exact, err := s.chat.Users(ctx, []chat.UserID{chat.UserID(text)})
		if err != nil {
			return Users{}, err
		}
		out.Exact = &exact[0]
	}
	entries, err := s.chat.Newest(ctx, a, peopleConversations)
	if err != nil {
		return Users{}, err
	}
	var ids []chat.UserID
	for i := range entries {
		if c := &entries[i].Conversation; c.Kind == chat.Direct {
			ids = append(ids, partner(c, a.User))
		}
	}
	named, err := s.index.Named(ctx, query.Tokens(), peopleNamed)
	if err != nil {
		return Users{}, lookError(ctx, err)
	}
	together, err := s.chat.Together(ctx, a, named)
	if err != nil {
		return Users{}, err
	}
	for _, u := range named {
		if together[u] && !slices.Contains(ids, u) {
			ids = append(ids, u)
		}
	}
	profiles, err := s.chat.Users(ctx, ids)
	if err != nil {
		return Users{}, err
	}
	for _, p := range profiles {
		if query.Matches(p.Name+" "+string(p.ID)) && len(out.Found) < limit {
			out.Found = append(out.Found, p)
		}
	}
	return out, nil
}

// partner is the other one of a direct conversation; oneself in one's own.
func partner(c *chat.Conversation, u chat.UserID) chat.UserID {
	if c.Pair[0] == u {
		return c.Pair[1]
	}
	return c.Pair[0]
}

// Conversations finds, by the beginnings of words of their names, conversations with a name among
// the caller's newest, newest first.
func (s *Service) Conversations(ctx context.Context, a chat.Actor, text string, limit int) ([]chat.Summary, error) {
	query := words.ParseName(text)
	if err := checkText(text, query); err != nil {
		return nil, err
	}
	if err := s.chat.AllowSearch(a); err != nil {
		return nil, err
	}
	entries, err := s.chat.Newest(ctx, a, maxConversations)
	if err != nil {
		return nil, err
	}
	var list []chat.Summary
	for i := range entries {
		c := &entries[i].Conversation
		if c.Name == "" || !query.Matches(c.Name) {
			continue
		}
		sum, err := s.chat.Conversation(ctx, a, c.ID)
		if err != nil {
			return nil, err
		}
		if list = append(list, sum); len(list) == limit {
			break
		}
	}
	return list, nil
}

// Found is a member who was found.
type Found struct {
	chat.Member
	Profile chat.Profile
}

// Members finds members of a conversation: by the beginning of their id, as a walk of
// the members' index from there, and by the beginnings of words of their names. Of a large
// group, the users of that name are looked up and asked for one by one: it costs the
// same whatever the group has, and finds those among the first 500 users of the name.
// Those found by id come first.
func (s *Service) Members(ctx context.Context, a chat.Actor, id chat.ConversationID, text string, limit int) ([]Found, error) {
	query := words.ParseName(text)
	if err := checkText(text, query); err != nil {
		return nil, err
	}
	if err := s.chat.AllowSearch(a); err != nil {
		return nil, err
	}
	members, err := s.chat.MembersAmong(ctx, a, id, []chat.UserID{chat.UserID(text)})
	if err != nil {
		return nil, err
	}
	from, _, err := s.chat.Members(ctx, a, id, chat.MembersPage{After: chat.UserID(text), Limit: limit})
	if err != nil {
		return nil, err
	}
	for _, m := range from {
		if strings.HasPrefix(string(m.User), text) {
			members = append(members, m)
		}
	}
	byID := len(members)
	all, more, err := s.chat.Members(ctx, a, id, chat.MembersPage{Limit: membersRead})
	if err != nil {
		return nil, err
	}
	if more {
		s.upToDate(ctx)
		named, err := s.index.Named(ctx, query.Tokens(), membersNamed)
		if err != nil {
			return nil, lookError(ctx, err)
		}
		slices.Sort(named)
		if all, err = s.chat.MembersAmong(ctx, a, id, named); err != nil {
			return nil, err
		}
	}
	members = append(members, all...)
	ids := make([]chat.UserID, len(members))
	for i := range members {
		ids[i] = members[i].User
	}
	profiles, err := s.chat.Users(ctx, ids)
	if err != nil {
		return nil, err
	}
	var list []Found
	for i, p := range profiles {
		byName := query.Matches(p.Name + " " + string(p.ID))
		known := slices.ContainsFunc(list, func(f Found) bool { return f.User == p.ID })
		if !known && (i < byID || byName) {
			list = append(list, Found{members[i], p})
		}
	}
	return list[:min(limit, len(list))], nil
}
