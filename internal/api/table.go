package api

import (
	"slices"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/internal/search"
)

// methods implement the rows on the domain.
type methods struct {
	chat   *chat.Service
	search *search.Service
}

// New makes the table on a domain. Without a finder, search is answered as off.
func New(service *chat.Service, finder *search.Service) *Table {
	m := methods{chat: service, search: finder}
	t := &Table{byName: make(map[string]*Method)}
	t.methods = slices.Concat(
		m.sessionRows(),
		m.searchRows(),
		m.userRows(),
		m.conversationRows(),
		m.memberRows(),
		m.groupRows(),
		m.receiptRows(),
		m.messageRows(),
		m.threadRows(),
		m.changeRows(),
		m.streamRows(),
		m.laterRows(),
		m.roomRows(),
		m.presenceRows(),
		m.peopleRows(),
		m.inboxRows(),
		m.friendRows(),
		m.syncRows(),
		m.keyRows(),
		m.bulkRows(),
		m.broadcastRows(),
		m.safetyRows(),
	)
	for _, row := range t.methods {
		row.used = service.KeyUsed
		t.byName[row.Name] = row
	}
	return t
}

// actor is for rows whose access needs a session: it has been checked.
func actor(c Caller) chat.Actor {
	a, _ := c.Actor()
	return a
}
