package chat

import (
	"cmp"
	"context"
	"errors"
	"slices"
)

// MembersPage asks for members with an id above After, by id.
type MembersPage struct {
	Roles []Role // only those; none: all
	After UserID
	Limit int
}

// Members answers members of a conversation that the caller is in, and whether there are
// more. What a page costs does not grow with the members: the owner and the admins are known
// by name, and there are few of them to pass over among the others.
func (s *Service) Members(ctx context.Context, a Actor, id ConversationID, page MembersPage) ([]Member, bool, error) {
	for _, r := range page.Roles {
		if r.rank() == 0 {
			return nil, false, invalid("roles", "roles: owner, admin and member")
		}
	}
	c, m, _, err := s.find(ctx, a, id)
	if err != nil {
		return nil, false, err
	}
	if c.Kind == Room || c.Kind != Thread && !joined(m) && !a.Server {
		return nil, false, forbidden("only members see who is a member; rooms have none")
	}
	if err := s.mayName(ctx, a, c); err != nil {
		return nil, false, err
	}
	wanted := func(r Role) bool { return len(page.Roles) == 0 || slices.Contains(page.Roles, r) }
	var list []Member
	if wanted(Plain) {
		list, err = s.plainMembers(ctx, c, page, wanted)
	} else {
		list, err = s.staffMembers(ctx, c, page, wanted)
	}
	if err != nil {
		return nil, false, readError(err)
	}
	more := len(list) > page.Limit
	list = list[:min(len(list), page.Limit)]
	return list, more, s.hidePositions(ctx, a, c, list)
}

// plainMembers reads members until there is one more than a page of those wanted.
func (s *Service) plainMembers(ctx context.Context, c *Conversation, page MembersPage, wanted func(Role) bool) ([]Member, error) {
	var list []Member
	for after := page.After; ; {
		rows, err := s.store.Members(ctx, c.ID, after, page.Limit+1)
		if err != nil || len(rows) == 0 {
			return list, err
		}
		after = rows[len(rows)-1].User
		full := len(rows) > page.Limit
		list = append(list, slices.DeleteFunc(rows, func(m Member) bool { return !wanted(m.Role) })...)
		if !full || len(list) > page.Limit {
			return list, nil
		}
	}
}

// staffMembers reads the owner and the admins, as far as they are wanted.
func (s *Service) staffMembers(ctx context.Context, c *Conversation, page MembersPage, wanted func(Role) bool) ([]Member, error) {
	staff := slices.DeleteFunc(slices.Clone(c.Staff()), func(st Staff) bool { return st.User <= page.After || !wanted(st.Role) })
	slices.SortFunc(staff, func(x, y Staff) int { return cmp.Compare(x.User, y.User) })
	var list []Member
	for _, st := range staff {
		if len(list) > page.Limit {
			break
		}
		m, err := s.store.Member(ctx, MemberKey{c.ID, st.User})
		switch {
		case errors.Is(err, ErrNotFound):
		case err != nil:
			return nil, err
		case joined(&m) && wanted(m.Role): // it may have changed since c was read
			list = append(list, m)
		}
	}
	return list, nil
}
