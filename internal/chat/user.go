package chat

import (
	"context"
	"unicode/utf8"
)

// Profile is what others see of a user.
type Profile struct {
	ID    UserID
	Name  string
	Guest bool

	Picture, Bio, Gender string
	Attributes           map[string]string // not to be written to
	Version              int64             // grows with each change; 0: nothing was set yet
	Deleted              bool              // nobody has the id any more
}

const (
	maxBio    = 500 // characters
	maxGender = 32  // characters
)

func profile(id UserID, row *User) Profile {
	p := Profile{ID: id, Name: string(id), Guest: id.IsGuest()}
	if p.Guest {
		p.Name = string(id[len(guestPrefix):])
	}
	switch {
	case row == nil:
	case row.Details != nil && row.Details.Deleted:
		p.Name, p.Deleted = deletedName, true
	case row.Name != "":
		p.Name = row.Name
	}
	if row != nil && row.Details != nil {
		d := row.Details
		p.Picture, p.Bio, p.Gender, p.Attributes, p.Version = d.Picture, d.Bio, d.Gender, d.Attributes, d.Version
	}
	return p
}

// Users answers the profiles for exact ids, in the order asked. An id that nobody has
// used yet is answered like any other, so that asking tells nothing.
func (s *Service) Users(ctx context.Context, ids []UserID) ([]Profile, error) {
	for _, id := range ids {
		if err := CheckUserID(id); err != nil {
			return nil, paramError("ids", err)
		}
	}
	rows, err := s.store.Users(ctx, ids)
	if err != nil {
		return nil, readError(err)
	}
	known := make(map[UserID]*User, len(rows))
	for i := range rows {
		known[rows[i].ID] = &rows[i]
	}
	profiles := make([]Profile, len(ids))
	for i, id := range ids {
		profiles[i] = profile(id, known[id])
	}
	return profiles, nil
}

// TellUser tells a user's sessions something. It does not block, and may be lost.
func (s *Service) TellUser(u UserID, method string, params []byte) {
	s.bus.Notify(Notice{Conversation: Conversation{Kind: Direct}, Only: u, Method: method, Params: params})
}

// ProfileChange is a change of a user's profile; nil: it stays, empty: there is none.
type ProfileChange struct {
	Name, Picture, Bio, Gender *string
	Attributes                 map[string]*string // nil: it goes
}

func (ch *ProfileChange) check() error {
	if ch.Name == nil && ch.Picture == nil && ch.Bio == nil && ch.Gender == nil && len(ch.Attributes) == 0 {
		return invalid("name", "name, picture, bio, gender or attributes: one at least")
	}
	if ch.Name != nil {
		if err := CheckName(*ch.Name); err != nil {
			return err
		}
	}
	if ch.Gender != nil {
		if err := checkLine("gender", *ch.Gender, maxGender); err != nil {
			return err
		}
	}
	if ch.Bio != nil && (!utf8.ValidString(*ch.Bio) || utf8.RuneCountInString(*ch.Bio) > maxBio) {
		return invalid("bio", "bio: at most %d characters", maxBio)
	}
	// Pictures and attributes are what they are in a group.
	up := UpdateGroup{Name: ch.Name, Picture: ch.Picture, Attributes: ch.Attributes, Settings: &SettingsChange{}}
	return up.check()
}

// UpdateUser changes the caller's profile and answers it. Guests have the name they gave,
// and nothing else.
func (s *Service) UpdateUser(ctx context.Context, a Actor, ch ProfileChange) (Profile, error) {
	if a.User.IsGuest() {
		return Profile{}, forbidden("a guest's name is the one it signed in with")
	}
	if err := ch.check(); err != nil {
		return Profile{}, err
	}
	var now Profile
	_, err := s.await(ctx, &operation{
		keys: func(k *Keys) { k.Users = append(k.Users, a.User) },
		decide: func(b *batch) (Place, error) {
			if err := b.reprofile(a.User, &ch); err != nil {
				return Place{}, err
			}
			now = profile(a.User, b.user(a.User))
			return Place{}, nil
		},
	})
	return now, err
}

// reprofile changes the profile of a user, who need not be known.
func (b *batch) reprofile(id UserID, ch *ProfileChange) error {
	u := b.user(id)
	b.revive(u)
	d := u.details()
	attributes, changed, err := changeAttributes(d.Attributes, ch.Attributes)
	if err != nil {
		return err
	}
	differs := len(changed) > 0
	if differs {
		d.Attributes = attributes
	}
	for _, f := range []struct{ to, from *string }{
		{&u.Name, ch.Name}, {&d.Picture, ch.Picture}, {&d.Bio, ch.Bio}, {&d.Gender, ch.Gender},
	} {
		if f.from != nil && *f.to != *f.from {
			*f.to, differs = *f.from, true
		}
	}
	if differs {
		d.Version++
		u.setDetails(d)
		b.users.add(u)
	}
	return nil
}
