package sqlite

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/linnet-im/linnet/internal/chat"
)

// neighbour says whether two users are in a small enough group together: a look at each
// of the newest groups of the one.
const neighbour = `
	SELECT EXISTS (
		SELECT 1 FROM (
			SELECT conv FROM member WHERE user = ?1 AND joined = 1 ORDER BY conv DESC LIMIT ?4
		) mine
		JOIN member other ON other.user = ?2 AND other.conv = mine.conv AND other.joined = 1
		JOIN conversation c ON c.num = mine.conv AND c.kind = 'group' AND c.members <= ?3
	)`

// Accounts is chat.Store's.
func (s *Store) Accounts(ctx context.Context, ids []chat.UserID) ([]chat.Account, error) {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	var accounts []chat.Account
	for _, id := range slices.Compact(ids) {
		found, err := query(ctx, s, s.read.account, scanAccount, string(id))
		if err != nil {
			return nil, err
		}
		accounts = append(accounts, found...)
	}
	return accounts, nil
}

// UserIDs is chat.Store's.
func (s *Store) UserIDs(ctx context.Context, after chat.UserID, limit int) ([]chat.UserID, error) {
	return query(ctx, s, s.read.userIDs, scanInto[chat.UserID], string(after), limit)
}

func scanAccount(row scanner) (a chat.Account, err error) {
	var body []byte
	if err := row.Scan(&a.User, &body); err != nil {
		return a, err
	}
	return a, json.Unmarshal(body, &a)
}

func (u *update) putAccount(ctx context.Context, a *chat.Account) error {
	body, err := json.Marshal(a)
	if err != nil {
		return err
	}
	return exec(ctx, u.stmt.putAccount, string(a.User), body)
}

// Neighbours is chat.Store's.
func (s *Store) Neighbours(ctx context.Context, u chat.UserID, others []chat.UserID, members, limit int) ([]chat.UserID, error) {
	var near []chat.UserID
	for _, o := range others {
		yes, err := queryOne(ctx, s, s.read.neighbour, scanInto[bool], string(u), string(o), members, limit)
		if err != nil {
			return nil, err
		}
		if yes {
			near = append(near, o)
		}
	}
	return near, nil
}
