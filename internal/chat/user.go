package chat

import "context"

// Profile is what others see of a user.
type Profile struct {
	ID    UserID
	Name  string
	Guest bool
}

func profile(id UserID, row *User) Profile {
	p := Profile{ID: id, Name: string(id), Guest: id.IsGuest()}
	if p.Guest {
		p.Name = string(id[len(guestPrefix):])
	}
	if row != nil && row.Name != "" {
		p.Name = row.Name
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

// rename gives a user, who need not be known, a name.
func (b *batch) rename(id UserID, name string) {
	u := b.rows.Users[id]
	if u == nil {
		u = &User{ID: id}
		b.rows.Users[id] = u
	}
	if u.Name != name {
		u.Name = name
		b.users.add(u)
	}
}

// UpdateUser sets the caller's name. Guests have the name they gave.
func (s *Service) UpdateUser(ctx context.Context, a Actor, name string) (Profile, error) {
	if a.User.IsGuest() {
		return Profile{}, forbidden("a guest's name is the one it signed in with")
	}
	if err := CheckName(name); err != nil {
		return Profile{}, err
	}
	_, err := s.await(ctx, &operation{
		keys: func(k *Keys) { k.Users = append(k.Users, a.User) },
		decide: func(b *batch) (Place, error) {
			b.rename(a.User, name)
			return Place{}, nil
		},
	})
	if err != nil {
		return Profile{}, err
	}
	return Profile{ID: a.User, Name: name}, nil
}
