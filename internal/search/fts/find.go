package fts

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"hash/fnv"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/internal/search"
)

const (
	// fewConversations are looked up by their tokens at once. Of more, the newest messages
	// of all conversations are looked at first.
	fewConversations = 8
	// newestLooked is how many of them.
	newestLooked = 2000
	// tokensAtOnce is how many conversations one look asks for: each is a walk of its own.
	tokensAtOnce = 200
)

// Marks of the tokens that are no words: a character that no word has, and a letter.
const (
	ofConversation = "¢c"
	ofSender       = "¢u"
	ofType         = "¢t"
)

func conversationToken(num int64) string { return ofConversation + strconv.FormatInt(num, 36) }

// hashed makes a token of any text. Two texts of one token cost a look, since what is
// found is compared again.
func hashed(mark, text string) string {
	h := fnv.New64a()
	h.Write([]byte(text))
	return mark + strconv.FormatUint(h.Sum64(), 36)
}

// Find is search.Index's.
//
// Many conversations have two plans. Whose messages with the words are mostly in the
// searcher's conversations finds a page among the newest, whatever their number. Who has
// few of them among many others' has them looked up conversation by conversation.
func (x *Index) Find(ctx context.Context, l search.Lookup) ([]search.Hit, error) {
	if err := x.enter(); err != nil {
		return nil, err
	}
	defer x.life.RUnlock()
	var match []string
	if len(l.Tokens) > 0 {
		match = append(match, allOf(l.Tokens))
	}
	if len(l.Senders) > 0 {
		match = append(match, anyOf(l.Senders, func(u chat.UserID) string { return hashed(ofSender, string(u)) }))
	}
	if len(l.Types) > 0 {
		match = append(match, anyOf(l.Types, func(t string) string { return hashed(ofType, t) }))
	}
	r := rangeOf(l)
	if len(l.Conversations) == 0 {
		return x.look(ctx, match, r, l.Limit)
	}
	mine, err := x.numbers(ctx, l.Conversations)
	if err != nil || len(mine) == 0 {
		return nil, err
	}
	var hits []search.Hit
	if len(mine) > fewConversations && len(match) > 0 {
		newest, err := x.look(ctx, match, r, newestLooked)
		if err != nil {
			return nil, err
		}
		ours := make(map[chat.ConversationID]bool, len(l.Conversations))
		for _, id := range l.Conversations {
			ours[id] = true
		}
		for _, h := range newest {
			if ours[h.Conversation] && len(hits) < l.Limit {
				hits = append(hits, h)
			}
		}
		if len(hits) == l.Limit || len(newest) < newestLooked {
			return hits, nil
		}
		r.to = newest[len(newest)-1].Mark - 1
	}
	var found []search.Hit
	for some := range slices.Chunk(mine, tokensAtOnce) {
		list, err := x.look(ctx, append(slices.Clip(match), anyOf(some, conversationToken)), r, l.Limit-len(hits))
		if err != nil {
			return nil, err
		}
		found = append(found, list...)
	}
	slices.SortFunc(found, func(a, b search.Hit) int { return cmp.Compare(b.Mark, a.Mark) })
	return append(hits, found[:min(len(found), l.Limit-len(hits))]...), nil
}

// marks are a range of marks, both included.
type marks struct{ from, to search.Mark }

func rangeOf(l search.Lookup) marks {
	r := marks{0, math.MaxInt64}
	if !l.From.IsZero() {
		r.from = search.FirstMark(l.From)
	}
	if !l.To.IsZero() {
		r.to = search.FirstMark(l.To) - 1
	}
	if l.Below > 0 {
		r.to = min(r.to, l.Below-1)
	}
	return r
}

// look answers the newest messages that have all of match.
func (x *Index) look(ctx context.Context, match []string, r marks, limit int) ([]search.Hit, error) {
	if len(match) == 0 {
		return nil, errNothing
	}
	return query(ctx, x.readers, func(rows *sql.Rows) (h search.Hit, err error) {
		return h, rows.Scan(&h.Mark, &h.Conversation, &h.Seq)
	}, `
		SELECT m.id, c.id, m.seq FROM words
			CROSS JOIN message m ON m.id = words.rowid CROSS JOIN conversation c ON c.num = m.conv
		WHERE words MATCH ? AND words.rowid BETWEEN ? AND ? ORDER BY words.rowid DESC LIMIT ?`,
		strings.Join(match, " AND "), int64(r.from), int64(r.to), limit)
}

// numbers answers those of the conversations that are in the index.
func (x *Index) numbers(ctx context.Context, ids []chat.ConversationID) ([]int64, error) {
	list, err := json.Marshal(ids)
	if err != nil {
		return nil, err
	}
	return query(ctx, x.readers, func(rows *sql.Rows) (num int64, err error) { return num, rows.Scan(&num) },
		`SELECT num FROM conversation WHERE id IN (SELECT value FROM json_each(?))`, string(list))
}

// quoted is a token in FTS5's query language. Tokens have no quotes.
func quoted(token string) string { return `"` + token + `"` }

func allOf(tokens []string) string {
	list := make([]string, len(tokens))
	for i, t := range tokens {
		list[i] = quoted(t)
	}
	return strings.Join(list, " AND ")
}

func anyOf[T any](list []T, token func(T) string) string {
	tokens := make([]string, len(list))
	for i, v := range list {
		tokens[i] = quoted(token(v))
	}
	return "(" + strings.Join(tokens, " OR ") + ")"
}
