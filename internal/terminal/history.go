package terminal

import (
	"slices"

	tea "charm.land/bubbletea/v2"

	"github.com/linnet-im/linnet/client"
	"github.com/linnet-im/linnet/wire"
)

const (
	// pageEvents is how many events are loaded at first, and each time one scrolls up to their end.
	pageEvents = 100
	// maxFirst is how many are loaded at first at most, when so many are unread.
	maxFirst = 1000
)

// history is what is loaded of the open conversation, and where in it one is.
type history struct {
	visit   int // counts the conversations that were opened: what was asked for an earlier one is not shown
	events  []wire.Event
	from    int64 // the lowest seq that is loaded; 0: nothing is
	more    bool  // there is something before it
	newFrom int64 // the seq above which a line says what is new; 0: none
	newSeen bool  // that line was on the screen

	refreshing bool // the newest events are being read
	stale      bool // and have to be read again after that
	fetching   bool // older events are being asked for

	up    int   // rows scrolled up from the bottom
	rows  []row // what is drawn of events; nil: to be drawn again
	names int   // columns of the names in rows
}

// row is one line of the history. What belongs to no event yet comes last.
type row struct {
	seq  int64
	text string
}

type loaded struct {
	visit int
	older bool
	page  client.Page
	err   error
}

// refresh reads the newest events anew, down to those that were loaded before. One
// reading at a time: of two, the one begun first might end last.
func (m *Model) refresh() tea.Cmd {
	h := &m.history
	conv, known := m.client.Conversation(m.open.id)
	switch {
	case m.open.id == "":
		return nil
	case h.refreshing:
		h.stale = true
		return nil
	}
	limit := int64(pageEvents)
	switch {
	case h.from > 0:
		limit = max(limit, conv.Held.To-h.from+1)
	case known && conv.Unread > 0:
		limit = min(max(limit, conv.Seq-conv.ReadSeq), maxFirst)
	}
	h.refreshing = true
	id, visit := m.open.id, h.visit
	return func() tea.Msg {
		page, err := m.client.Timeline(m.ctx, id, 0, int(limit))
		return loaded{visit, false, page, err}
	}
}

// fetch asks for what is older than what is loaded.
func (m *Model) fetch() tea.Cmd {
	h := &m.history
	if !h.more || h.fetching {
		return nil
	}
	h.fetching = true
	id, visit, before := m.open.id, h.visit, h.from
	return func() tea.Msg {
		page, err := m.client.Timeline(m.ctx, id, before, pageEvents)
		return loaded{visit, true, page, err}
	}
}

// show takes loaded events. Who has scrolled up goes on seeing what he sees.
func (m *Model) show(l loaded) tea.Cmd {
	h := &m.history
	if l.visit != h.visit {
		return nil
	}
	var again tea.Cmd
	if l.older {
		h.fetching = false
	} else if h.refreshing = false; h.stale {
		h.stale = false
		again = m.refresh()
	}
	if l.err != nil && len(l.page.Events) == 0 {
		if l.older || h.from == 0 {
			m.note = []string{l.err.Error()}
		}
		return again
	}
	if l.older && l.page.To != h.from-1 {
		return again // what was loaded has changed meanwhile
	}
	m.keepPlace(func() {
		had := m.lastSeq()
		if l.older {
			h.events = append(l.page.Events, h.events...)
		} else {
			h.events = l.page.Events
		}
		h.from, h.more = max(1, l.page.From), l.page.Older
		for i := range h.events {
			if h.events[i].Seq > had {
				delete(m.typing, h.events[i].From) // who has written writes no more
			}
		}
	})
	h.newSeen = h.newSeen || m.newAbove() == 0
	return tea.Batch(again, m.askNames(), m.markRead())
}

func (m *Model) lastSeq() int64 {
	if len(m.history.events) == 0 {
		return 0
	}
	return m.history.events[len(m.history.events)-1].Seq
}

// keepPlace changes what is drawn, and leaves the lowest row that is seen where it is,
// unless that is the end: then the end is seen again.
func (m *Model) keepPlace(change func()) {
	h := &m.history
	seq, below := int64(0), 0
	if h.up > 0 {
		all := m.allRows()
		at := max(0, len(all)-1-h.up)
		seq = all[at].seq
		for at+below+1 < len(all) && all[at+below+1].seq == seq {
			below++
		}
	}
	change()
	h.rows = nil
	if h.up == 0 {
		return
	}
	all := m.allRows()
	last := len(all) - 1
	for last > 0 && all[last].seq > seq {
		last--
	}
	h.up = min(max(0, len(all)-1-last+below), m.topmost())
}

// topmost is how far up one can scroll.
func (m *Model) topmost() int { return max(0, len(m.allRows())-m.historyHeight()) }

// scroll moves up by rows, or down. At the top it loads what is older; who is at the end
// again needs no more than is loaded at first.
func (m *Model) scroll(rows int) tea.Cmd {
	h := &m.history
	top := m.topmost()
	h.up = min(max(0, h.up+rows), top)
	h.newSeen = h.newSeen || m.newAbove() == 0
	switch {
	case h.up == 0:
		if n := len(h.events) - maxFirst; n > 0 {
			h.events, h.from, h.more, h.rows = h.events[n:], h.events[n].Seq, true, nil
		}
		return m.markRead()
	case h.up == top:
		return m.fetch()
	}
	return nil
}

// markNew puts the line that says what is new above a seq, 0 for nowhere.
func (m *Model) markNew(from int64) {
	m.keepPlace(func() { m.history.newFrom, m.history.newSeen = from, false })
}

// newAbove is how many rows above the first one that is seen what is new begins, 0 when
// one has seen where.
func (m *Model) newAbove() int {
	h := &m.history
	if h.newFrom == 0 || h.newSeen {
		return 0
	}
	first := slices.IndexFunc(m.allRows(), func(r row) bool { return r.seq >= h.newFrom })
	return max(0, m.topmost()-h.up-first)
}
