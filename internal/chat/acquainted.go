package chat

import (
	"context"
	"errors"
	"maps"
	"slices"
)

const (
	// presenceMembers is up to how many members a group lets each other see who is there.
	presenceMembers = 500
	// presenceGroups is how many of a user's conversations, the newest, are looked at for that.
	presenceGroups = 500
)

// Acquainted answers those of the others whose presence u may see: itself, its friends, who
// has written to it directly, and with whom it shares a group of up to 500, as far as they
// show it (UserSettings.Presence) and neither blocks the other. Writing to somebody is not
// enough: everybody may.
func (s *Service) Acquainted(ctx context.Context, u UserID, others []UserID) (map[UserID]bool, error) {
	yes, err := s.acquainted(ctx, u, others)
	if err != nil || len(yes) == 0 {
		return yes, err
	}
	rows, err := s.store.Users(ctx, slices.Collect(maps.Keys(yes)))
	if err != nil {
		return nil, readError(err)
	}
	shown := make(map[UserID]string, len(rows))
	for i := range rows {
		shown[rows[i].ID] = rows[i].settings().Presence
	}
	for o := range yes {
		if o == u {
			continue
		}
		hides := shown[o] == PresenceNobody
		if shown[o] == PresenceFriends {
			friend, err := s.hasItem(ctx, ItemKey{UserHolder(o), friendKind, string(u)})
			if err != nil {
				return nil, err
			}
			hides = !friend
		}
		if !hides {
			if hides, err = s.apart(ctx, u, o); err != nil {
				return nil, err
			}
		}
		if hides {
			delete(yes, o)
		}
	}
	return yes, nil
}

// acquainted answers whom u knows, whatever they show.
func (s *Service) acquainted(ctx context.Context, u UserID, others []UserID) (map[UserID]bool, error) {
	yes := make(map[UserID]bool, len(others))
	if !s.MaySee(u, Direct) {
		return yes, nil
	}
	var left []UserID
	for _, o := range others {
		m, err := s.store.Member(ctx, MemberKey{DirectID(u, o), o})
		switch {
		case err != nil && !errors.Is(err, ErrNotFound):
			return nil, readError(err)
		case o == u || m.Sent > 0 && s.MaySee(o, Direct):
			yes[o] = true
		default:
			friend, err := s.hasItem(ctx, ItemKey{UserHolder(u), friendKind, string(o)})
			if err != nil {
				return nil, err
			}
			if friend {
				yes[o] = true
			} else {
				left = append(left, o)
			}
		}
	}
	if len(left) == 0 {
		return yes, nil
	}
	slices.Sort(left)
	near, err := s.store.Neighbours(ctx, u, slices.Compact(left), presenceMembers, presenceGroups)
	if err != nil {
		return nil, readError(err)
	}
	for _, o := range near {
		yes[o] = true
	}
	return yes, nil
}
