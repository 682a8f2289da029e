package chat

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
	"unicode/utf8"
)

// BanItem is the kind of a conversation's items that keep users out of it, by user.
const BanItem ItemKind = "ban"

// maxReason is the longest reason or request text, in characters.
const maxReason = 200

// Ban keeps a user out of a group.
type Ban struct {
	User   UserID    `json:"-"`
	By     UserID    `json:"by"`
	Time   time.Time `json:"time"`
	Until  time.Time `json:"until"`
	Reason string    `json:"reason,omitempty"`
}

func banKey(id ConversationID, u UserID) ItemKey {
	return ItemKey{ConversationHolder(id), BanItem, string(u)}
}

// banned says whether u is kept out of a group at the batch's time. The item must be among its keys.
func (b *batch) banned(id ConversationID, u UserID) bool {
	it := b.item(banKey(id, u))
	if it == nil {
		return false
	}
	var ban Ban
	if err := json.Unmarshal(it.Body, &ban); err != nil {
		return true // a row that cannot be read keeps out
	}
	return b.now.Before(ban.Until)
}

func checkReason(param, text string) error {
	if !utf8.ValidString(text) || utf8.RuneCountInString(text) > maxReason {
		return invalid(param, "%s: at most %d characters", param, maxReason)
	}
	return nil
}

// BanMembers keeps users out of a group or a room, until a time or, with nil, for good: those
// who are in it are removed, and nobody adds them and they join no more. A room is not there
// for them. Its owner and admins may, to those below them.
func (s *Service) BanMembers(ctx context.Context, a Actor, ch ChangeMembers, until *time.Time, reason string) (Place, error) {
	end := endOf(until)
	if err := checkReason("reason", reason); err != nil {
		return Place{}, err
	}
	return s.changeMembers(ctx, a, "members.ban", ch, []string{end.String(), reason}, func(b *batch, c *Conversation, self *Member, users []UserID) (*Event, error) {
		removed, err := removable(a, b, c, self, users)
		if err != nil {
			return nil, err
		}
		if err := toCome(end, b.now); err != nil {
			return nil, err
		}
		if c.Kind == Room {
			b.shut(c, removed, end)
			removed = nil
		}
		for _, u := range users {
			body := mustJSON(Ban{By: a.User, Time: b.now, Until: end, Reason: reason})
			b.putItem(&Item{ItemKey: banKey(c.ID, u), Body: body})
			b.settle(c.ID, u, nil)
		}
		gone := b.removeAll(c, removed)
		return &Event{Kind: Members, Moved: gone, Content: changeContent{
			Text:    fmt.Sprintf("%s banned %s", a.User, listed(users)),
			Removed: gone[:min(maxNamed, len(gone))], Banned: users[:min(maxNamed, len(users))],
			Changed: len(gone), Members: c.Members,
		}.encode()}, nil
	})
}

// UnbanMembers lets users back in; it does not add them. The owner and the admins may.
func (s *Service) UnbanMembers(ctx context.Context, a Actor, ch ChangeMembers) (Place, error) {
	return s.changeMembers(ctx, a, "members.unban", ch, nil, func(b *batch, c *Conversation, self *Member, users []UserID) (*Event, error) {
		if err := may(a, c, self, RightManage); err != nil {
			return nil, err
		}
		var freed []UserID
		for _, u := range users {
			if key := banKey(c.ID, u); b.item(key) != nil {
				b.forgetItem(key)
				freed = append(freed, u)
				if m := b.rowOf(c, u); c.Kind == Room {
					d := m.details()
					d.BannedUntil = time.Time{}
					m.setDetails(d)
					b.putMember(m)
				}
			}
		}
		if len(freed) == 0 {
			return nil, nil
		}
		content := updateContent{
			Text: fmt.Sprintf("%s unbanned %s", a.User, listed(freed)), Unbanned: freed[:min(maxNamed, len(freed))],
		}
		return content.event(), nil
	})
}

// Bans answers who is kept out of a group or a room, by user, and whether there are more. The owner
// and the admins may ask. A ban that has ended is shown until it is lifted.
func (s *Service) Bans(ctx context.Context, a Actor, id ConversationID, after UserID, limit int) ([]Ban, bool, error) {
	items, more, err := s.managed(ctx, a, id, BanItem, after, limit)
	bans := make([]Ban, 0, len(items))
	for _, it := range items {
		ban := Ban{User: UserID(it.Key)}
		if err := json.Unmarshal(it.Body, &ban); err != nil {
			return nil, false, readError(fmt.Errorf("a ban: %w", err))
		}
		bans = append(bans, ban)
	}
	return bans, more, err
}

// managed lists a group's items of a kind for those who manage it.
func (s *Service) managed(ctx context.Context, a Actor, id ConversationID, kind ItemKind, after UserID, limit int) ([]Item, bool, error) {
	c, m, _, err := s.find(ctx, a, id)
	if err != nil {
		return nil, false, err
	}
	if !c.Kind.Grouped() && (c.Kind != Room || kind != BanItem) || c.Kind.Grouped() && !a.Server && !joined(m) {
		return nil, false, forbidden("only groups have these, for their admins")
	}
	if err := may(a, c, m, RightManage); err != nil {
		return nil, false, err
	}
	items, err := s.store.Items(ctx, ItemRange{Holder: ConversationHolder(id), Kind: kind, After: string(after), Limit: limit + 1})
	if err != nil {
		return nil, false, readError(err)
	}
	if len(items) > limit {
		return items[:limit], true, nil
	}
	return items, false, nil
}
