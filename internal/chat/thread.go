package chat

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// A thread is a conversation of its own that hangs on a message of another one, its
// parent: with seqs, a count and read positions of its own, so that reading the parent does
// not read the thread. Who may read and write in it are those who are in the parent now and
// may read the message. Its
// member rows are its followers: who writes in it, who began it and whose message it hangs
// on, until they unfollow it; they are told its events, and have it in sync.

// Threaded is the kind of the parent's event that tells of a new thread.
const Threaded EventKind = "thread"

// itemThread is a thread, held by its parent under the root's seq.
const itemThread ItemKind = "thread"

// maxFollowers is how many follow a thread; who comes later reads and writes without.
const maxFollowers = 5000

const threadPrefix = "t_"

// ThreadID gives the id of the thread on a message: "t_", the message's seq, "_" and the
// parent's id.
func ThreadID(root EventKey) ConversationID {
	return ConversationID(threadPrefix + strconv.FormatInt(int64(root.Seq), 10) + "_" + string(root.Conversation))
}

// thread answers which message a thread hangs on; false: id is not a thread's.
func (id ConversationID) thread() (root EventKey, ok bool) {
	rest, ok := strings.CutPrefix(string(id), threadPrefix)
	if !ok {
		return EventKey{}, false
	}
	seq, parent, ok := strings.Cut(rest, "_")
	n, err := strconv.ParseInt(seq, 10, 64)
	root = EventKey{ConversationID(parent), Seq(n)}
	return root, ok && err == nil && n > 0 && ThreadID(root) == id
}

// home is the conversation whose members may read and write in id: itself, or a thread's parent.
func (id ConversationID) home() ConversationID {
	if root, ok := id.thread(); ok {
		return root.Conversation
	}
	return id
}

// Root answers which message a thread hangs on; false: c is no thread.
func (c *Conversation) Root() (EventKey, bool) { return c.ID.thread() }

// standKeys names what standing needs.
func standKeys(k *Keys, u UserID, id ConversationID) {
	k.Conversations = append(k.Conversations, id)
	k.Members = append(k.Members, MemberKey{id, u})
	if home := id.home(); home != id {
		k.Conversations = append(k.Conversations, home)
		k.Members = append(k.Members, MemberKey{home, u})
	}
}

// standing answers a conversation, and its home with the caller's row in it: whose roles,
// settings and mutes hold, which for a thread is the parent. It is not found by who is not
// in it now, but for a server key; the row is nil for one that is not, and in most rooms.
func (s *Service) standing(b *batch, a Actor, id ConversationID) (c, home *Conversation, m *Member, err error) {
	c, home = b.rows.Conversations[id], b.rows.Conversations[id.home()]
	if c == nil || home == nil || !s.MaySee(a.User, home.Kind) {
		return nil, nil, nil, notFound()
	}
	m = b.rows.Members[MemberKey{home.ID, a.User}]
	if out := home.Kind != Room && !joined(m) || home.Kind == Room && m.banned(b.now); out && !a.Server {
		return nil, nil, nil, notFound()
	}
	if root, thread := id.thread(); thread && !a.Server && !s.threadIsFor(a.User, home, m, root.Seq) {
		return nil, nil, nil, notFound()
	}
	return c, home, m, nil
}

// follow makes a user a follower of a thread that has read it up to its head, and answers its row; nil when
// there are too many.
func (b *batch) follow(c *Conversation, u UserID) *Member {
	m := b.member(MemberKey{c.ID, u})
	if joined(m) {
		return m
	}
	if c.Members >= maxFollowers {
		return nil
	}
	m.Spans, m.Role, m.Since = []Span{{From: 1}}, Plain, c.Seq+1
	m.ReadSeq, m.ReadCount, m.ReadSent = c.Seq, c.Count, m.Sent
	c.Members++
	c.MembersRev = c.Seq // who follows changes without an event
	b.putMember(m)
	b.conversations.add(c)
	return m
}

// homeOf answers the conversation whose roles, settings, mutes and blocks hold in c: itself, or
// a thread's parent.
func (s *Service) homeOf(ctx context.Context, c *Conversation) (*Conversation, error) {
	root, ok := c.Root()
	if !ok {
		return c, nil
	}
	home, err := s.store.Conversation(ctx, root.Conversation)
	if err != nil {
		return nil, readError(err)
	}
	return &home, nil
}

// mayName says whether the caller may know by name who is in c, or follows it: in a channel
// and its threads its staff may.
func (s *Service) mayName(ctx context.Context, a Actor, c *Conversation) error {
	home, err := s.homeOf(ctx, c)
	if err != nil || home.Kind != Channel || a.Server || slices.ContainsFunc(home.Staff(), func(st Staff) bool { return st.User == a.User }) {
		return err
	}
	return forbidden("only the owner and the admins see who subscribes to a channel")
}

// CreateThread begins the thread on a message that the caller sees, and follows it. Where
// there is one already, that is answered, and nothing is logged.
func (s *Service) CreateThread(ctx context.Context, a Actor, root EventKey, client [16]byte, clientID string) (ConversationID, error) {
	id := ThreadID(root)
	if _, nested := root.Conversation.thread(); nested {
		return "", forbidden("a message of a thread has no thread of its own: reply to it")
	}
	cl := newCall(a.User, client, "threads.create", string(id))
	author, err := s.threadAuthor(ctx, root)
	if err != nil {
		return "", err
	}
	rate := s.writeRate(a)
	_, err = s.await(ctx, &operation{
		keys: func(k *Keys) {
			k.Calls = append(k.Calls, cl.key)
			k.Events = append(k.Events, root)
			standKeys(k, a.User, id)
			k.Members = append(k.Members, MemberKey{id, author}, MemberKey{root.Conversation, author})
		},
		decide: func(b *batch) (Place, error) {
			if p, found, err := b.recall(cl.key, cl.hash); found {
				return p, err
			}
			parent, _, m, err := s.standing(b, a, root.Conversation)
			if err != nil {
				return Place{}, err
			}
			if err := alive(parent); err != nil {
				return Place{}, err
			}
			if parent.Kind == Channel {
				if err := speak(a, parent, m, b.now); err != nil {
					return Place{}, err
				}
			}
			e := s.message(b, a, parent, m, root.Seq)
			if e == nil {
				return Place{}, noMessage()
			}
			if e.Only != nil {
				return Place{}, forbidden("a message for a few has no thread: everybody in the conversation reads threads")
			}
			c := b.rows.Conversations[id]
			if c != nil {
				b.follow(c, a.User)
				return Place{Conversation: id, Seq: c.Seq, Time: c.Time}, nil
			}
			if err := speak(a, parent, m, b.now); err != nil {
				return Place{}, err
			}
			if err := rate(b); err != nil {
				return Place{}, err
			}
			c = &Conversation{ID: id, Kind: Thread, SharedPast: true, Time: b.now}
			b.addConversation(c)
			b.follow(c, a.User)
			if joined(b.rows.Members[MemberKey{parent.ID, author}]) {
				b.follow(c, author)
			}
			told := &Event{
				Kind: Threaded, From: a.User, ClientID: clientID, Targets: [][2]Seq{{root.Seq, root.Seq}},
				Content: mustJSON(struct {
					Text   string         `json:"text"`
					Thread ConversationID `json:"thread"`
				}{fmt.Sprintf("%s began a thread", a.User), id}),
			}
			b.append(parent, told)
			e.Thread = id
			b.revise(e, told.Seq)
			b.putItem(&Item{ItemKey: ItemKey{ConversationHolder(parent.ID), itemThread, threadKey(root.Seq)}, Body: mustJSON(id)})
			return b.remember(cl.key, cl.hash, told), nil
		},
	})
	return id, err
}

// threadAuthor answers who wrote the message, "" if it is not there or gone; it never changes.
// Whether the caller may read it is looked at later, since a repetition is answered before.
func (s *Service) threadAuthor(ctx context.Context, root EventKey) (UserID, error) {
	records, err := s.store.Events(ctx, EventRange{Conversation: root.Conversation, From: root.Seq, To: root.Seq, Limit: 1})
	if errors.Is(err, ErrNotFound) || err == nil && len(records) != 1 {
		return "", nil
	}
	if err != nil {
		return "", readError(err)
	}
	return ParseEvent(root.Conversation, records[0]).From, nil
}

// Follow has the caller told of a thread, or no more. Who unfollows keeps its read position.
func (s *Service) Follow(ctx context.Context, a Actor, id ConversationID, on bool) error {
	_, err := s.await(ctx, &operation{
		keys: func(k *Keys) { standKeys(k, a.User, id) },
		decide: func(b *batch) (Place, error) {
			c, _, _, err := s.standing(b, a, id)
			if err != nil {
				return Place{}, err
			}
			if c.Kind != Thread {
				return Place{}, forbidden("only threads are followed")
			}
			m := b.member(MemberKey{id, a.User})
			switch {
			case on && b.follow(c, a.User) == nil:
				return Place{}, forbidden(fmt.Sprintf("a thread has at most %d followers", maxFollowers))
			case !on && joined(m):
				m.Spans, m.Role = nil, NoRole
				c.Members--
				c.MembersRev = c.Seq
				b.putMember(m)
				b.conversations.add(c)
			}
			return Place{}, nil
		},
	})
	return err
}

// Threads answers the threads of a conversation that hang on messages below a seq (0: all),
// the newest message's first, and whether there are more.
func (s *Service) Threads(ctx context.Context, a Actor, id ConversationID, before Seq, limit int) ([]Summary, bool, error) {
	_, _, spans, err := s.find(ctx, a, id)
	if err != nil {
		return nil, false, err
	}
	if before == 0 {
		before = top(spans) + 1
	}
	r := ItemRange{Holder: ConversationHolder(id), Kind: itemThread, After: threadKey(before), Limit: limit + 1}
	items, err := s.store.Items(ctx, r)
	if err != nil {
		return nil, false, readError(err)
	}
	more := len(items) > limit
	var list []Summary
	for _, it := range items[:min(limit, len(items))] {
		var thread ConversationID
		if err := json.Unmarshal(it.Body, &thread); err != nil {
			return nil, false, fmt.Errorf("thread %q of %q: %w", it.Key, id, err)
		}
		if root, _ := thread.thread(); !within(spans, root.Seq) {
			continue // from before the caller came, or after
		}
		sum, err := s.Conversation(ctx, a, thread)
		if err != nil {
			return nil, false, err
		}
		list = append(list, sum)
	}
	return list, more, nil
}

// threadKey is the key of the thread on the message at seq: the newest message's comes first.
func threadKey(seq Seq) string { return fmt.Sprintf("%016x", math.MaxInt64-int64(seq)) }
