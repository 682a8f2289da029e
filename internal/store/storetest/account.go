package storetest

import (
	"context"
	"slices"
	"time"

	"github.com/linnet-im/linnet/internal/chat"
)

func testAccounts(f *fixture) {
	ctx := context.Background()
	now := morning.UTC().Truncate(time.Millisecond)
	token := chat.Token{ID: "t1", Issued: now, Expires: now.Add(time.Hour)}
	full := chat.Account{
		User: "alice", Status: "在开会", Seen: now, SignedOut: now.Add(time.Minute), Kept: "t1",
		Devices: []chat.Device{{ID: "phone", Platform: "ios", Name: "Alice's", Since: now, Seen: now, Revoked: now, Token: token}},
		Revoked: []chat.Token{token, {ID: "t2"}},
	}
	f.update(chat.Keys{}, func(*chat.Rows) *chat.Changes {
		return &chat.Changes{Accounts: []*chat.Account{full.Clone(), {User: "bob"}}}
	})
	f.equal("Accounts", must(f.Accounts(ctx, []chat.UserID{"alice", "nobody", "alice"}))(f), []chat.Account{full})
	f.equal("an empty account", must(f.Accounts(ctx, []chat.UserID{"bob"}))(f), []chat.Account{{User: "bob"}})

	// What decide does to a row it was given, without writing it, changes nothing.
	f.update(chat.Keys{Accounts: []chat.UserID{"alice", "nobody"}}, func(r *chat.Rows) *chat.Changes {
		if r.Accounts["nobody"] != nil {
			f.Error("a row for nobody")
		}
		f.equal("the loaded account", *r.Accounts["alice"], full)
		r.Accounts["alice"].Devices[0].Name = "changed"
		return nil
	})
	f.equal("Accounts", must(f.Accounts(ctx, []chat.UserID{"alice"}))(f), []chat.Account{full})
	f.update(chat.Keys{Accounts: []chat.UserID{"alice"}}, func(r *chat.Rows) *chat.Changes {
		a := r.Accounts["alice"]
		a.Devices, a.Status = nil, ""
		return &chat.Changes{Accounts: []*chat.Account{a}}
	})
	full.Devices, full.Status = nil, ""
	f.equal("the changed account", must(f.Accounts(ctx, []chat.UserID{"alice"}))(f), []chat.Account{full})
}

// Mutants: only users, or only accounts; one who has both comes twice; after itself included;
// a collation that folds case.
func testUserIDs(f *fixture) {
	sorted := []chat.UserID{"Bob", "alice", "bob", "carol", "dave", "guest:bob", "张三"}
	slices.Sort(sorted)
	f.update(chat.Keys{}, func(*chat.Rows) *chat.Changes {
		c := &chat.Changes{}
		for i, u := range sorted {
			if i%3 != 0 {
				c.Users = append(c.Users, &chat.User{ID: u, Name: "n"})
			}
			if i%3 != 1 {
				c.Accounts = append(c.Accounts, &chat.Account{User: u})
			}
		}
		return c
	})
	for limit := 1; limit <= len(sorted)+1; limit++ {
		var got []chat.UserID
		for after := chat.UserID(""); ; {
			page := must(f.UserIDs(context.Background(), after, limit))(f)
			got = append(got, page...)
			if len(page) < limit {
				break
			}
			after = page[limit-1]
		}
		f.equal("user ids", got, sorted)
	}
}

func testNeighbours(f *fixture) {
	group := func(id chat.ConversationID, kind chat.ConversationKind, members int, in ...chat.UserID) {
		f.update(chat.Keys{}, func(*chat.Rows) *chat.Changes {
			c := &chat.Changes{Conversations: []*chat.Conversation{{ID: id, Kind: kind, Time: morning, Members: members}}}
			for _, u := range in {
				m := &chat.Member{MemberKey: chat.MemberKey{Conversation: id, User: u}, Spans: []chat.Span{{From: 1}}}
				if u == "left" {
					m.Spans[0].To = 3
				}
				c.Members = append(c.Members, m)
			}
			return c
		})
	}
	group("g_small", chat.Group, 3, "alice", "bob", "left")
	group("g_large", chat.Group, 501, "alice", "carol")
	group("d_pair", chat.Direct, 2, "alice", "dave")
	group("g_other", chat.Group, 2, "eve", "bob")
	ask := func(u chat.UserID, others ...chat.UserID) []chat.UserID {
		near := must(f.Neighbours(context.Background(), u, others, 500, 500))(f)
		slices.Sort(near)
		return near
	}
	f.equal("alice's", ask("alice", "bob", "left", "carol", "dave", "eve", "nobody"), []chat.UserID{"bob"})
	f.equal("bob's", ask("bob", "alice", "eve"), []chat.UserID{"alice", "eve"})
	f.equal("hers who left", ask("left", "alice", "bob"), []chat.UserID(nil))
	f.equal("nobody's", ask("nobody", "alice"), []chat.UserID(nil))
}
