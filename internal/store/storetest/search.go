package storetest

import (
	"fmt"

	"github.com/linnet-im/linnet/internal/chat"
)

// Mutant: no order; after included.
func testChangedUsers(f *fixture) {
	put := func(id chat.UserID, name string) {
		f.Helper()
		err := f.Update(f.T.Context(), chat.Keys{Users: []chat.UserID{id}}, func(*chat.Rows) *chat.Changes {
			return &chat.Changes{Users: []*chat.User{{ID: id, Name: name}}}
		})
		if err != nil {
			f.Fatal(err)
		}
	}
	for i := range 5 {
		put(chat.UserID(fmt.Sprint("u", i)), "first")
	}
	put("u1", "second")
	var seen []string
	after := chat.Position(0)
	for {
		list, err := f.ChangedUsers(f.T.Context(), after, 2)
		if err != nil {
			f.Fatal(err)
		}
		for _, u := range list {
			if u.Pos <= after {
				f.Errorf("%s at %d after %d", u.ID, u.Pos, after)
			}
			after = u.Pos
			seen = append(seen, string(u.ID)+" "+u.Name)
		}
		if len(list) < 2 {
			break
		}
	}
	if got, want := fmt.Sprint(seen), "[u0 first u2 first u3 first u4 first u1 second]"; got != want {
		f.Errorf("got %s, want %s", got, want)
	}
}
