package api

import (
	"context"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/wire"
)

// maxProfiles is how many profiles a person asks for at once.
const maxProfiles = 100

func (m methods) userRows() []*Method {
	return []*Method{
		row(Method{
			Name: "users.get", Access: Sessions, Repeat: ByNature, Scope: chat.ScopeRead,
			Doc: "Profiles by exact id, in the order asked. An id nobody has used is answered like the others.",
		}, m.usersGet),
		row(Method{
			Name: "users.update", Access: Users, Repeat: ByNature, Scope: chat.ScopeManage,
			Doc: "Changes the caller's own profile and answers it. Those who watch its presence, and its own devices, are told by the notification user; " +
				"others find it by users.get: a higher version is a newer one.",
		}, m.usersUpdate),
	}
}

func (m methods) usersGet(ctx context.Context, c Caller, p *wire.UsersGetParams) (wire.UsersResult, error) {
	most := maxProfiles
	if actor(c).Server {
		most = maxBulk
	}
	if len(p.IDs) == 0 || len(p.IDs) > most {
		return wire.UsersResult{}, paramErrorf("ids", "ids: 1 to %d of them", most)
	}
	list, err := m.chat.Users(ctx, userIDs(p.IDs))
	if err != nil {
		return wire.UsersResult{}, err
	}
	out := wire.UsersResult{Users: make([]wire.User, len(list))}
	for i, u := range list {
		out.Users[i] = User(u)
	}
	return out, nil
}

func (m methods) usersUpdate(ctx context.Context, c Caller, p *wire.UsersUpdateParams) (wire.User, error) {
	now, err := m.chat.UpdateUser(ctx, actor(c), profileChange(p))
	if err != nil {
		return wire.User{}, err
	}
	u := User(now)
	c.Signed().TellProfile(u)
	return u, nil
}

func profileChange(p *wire.UsersUpdateParams) chat.ProfileChange {
	return chat.ProfileChange{Name: p.Name, Picture: p.Picture, Bio: p.Bio, Gender: p.Gender, Attributes: p.Attributes}
}

// User gives a profile its wire form.
func User(p chat.Profile) wire.User {
	return wire.User{
		ID: string(p.ID), Name: p.Name, Guest: p.Guest,
		Picture: p.Picture, Bio: p.Bio, Gender: p.Gender, Attributes: p.Attributes, Version: p.Version, Deleted: p.Deleted,
	}
}

func userIDs(texts []string) []chat.UserID {
	if texts == nil {
		return nil
	}
	ids := make([]chat.UserID, len(texts))
	for i, t := range texts {
		ids[i] = chat.UserID(t)
	}
	return ids
}
