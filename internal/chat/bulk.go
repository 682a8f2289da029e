package chat

import "context"

// Sent is what became of one of many sends.
type Sent struct {
	Place Place
	Err   error
}

// SendAs is a message of a user, as a server key sends many.
type SendAs struct {
	From UserID
	Send
}

// SendMany sends messages of users in this order, in one commit if it can, and answers what
// became of each. One that is refused holds up no other. Those that ctx does not wait for
// may be stored all the same: repeated, they are answered.
func (s *Service) SendMany(ctx context.Context, a Actor, list []SendAs) []Sent {
	out := make([]Sent, len(list))
	waiters := make([]*waiter, len(list))
	var ops []*operation
	for i, m := range list {
		by := a
		by.User = m.From
		op, err := s.newSend(by, m.Send)
		if err != nil {
			out[i].Err = err
			continue
		}
		waiters[i] = &waiter{done: make(chan struct{})}
		ops = append(ops, &operation{keys: op.keys, decide: op.decide, reply: waiters[i]})
	}
	s.committer.submit(ops...)
	for i, w := range waiters {
		if w == nil {
			continue
		}
		select {
		case <-w.done:
			out[i] = Sent{w.place, w.err}
		case <-ctx.Done():
			out[i].Err = notWaited(ctx)
		}
	}
	return out
}

// Import is a user's profile as the back end has it.
type Import struct {
	User UserID
	ProfileChange
}

func (i *Import) check() error {
	if err := CheckUserID(i.User); err != nil {
		return paramError("id", err)
	}
	if i.User.IsGuest() {
		return invalid("id", "id: guests have no profile")
	}
	return i.ProfileChange.check()
}

// ImportUsers sets the profiles of users, in one commit, whether they were known or not, and
// answers for each what was wrong with it, nil for nothing. Of one named twice the last
// one holds. The error is that of the commit: nothing was written then.
func (s *Service) ImportUsers(ctx context.Context, list []Import) ([]error, error) {
	errs := make([]error, len(list))
	for i := range list {
		errs[i] = list[i].check()
	}
	_, err := s.await(ctx, &operation{
		keys: func(k *Keys) {
			for i := range list {
				if errs[i] == nil {
					k.Users = append(k.Users, list[i].User)
					k.Accounts = append(k.Accounts, list[i].User)
				}
			}
		},
		decide: func(b *batch) (Place, error) {
			for i := range list {
				if errs[i] == nil && b.now.Before(b.account(list[i].User).Deleted) {
					errs[i] = deletedAccount()
				}
				if errs[i] == nil {
					errs[i] = b.reprofile(list[i].User, &list[i].ProfileChange)
				}
			}
			return Place{}, nil
		},
	})
	return errs, err
}
