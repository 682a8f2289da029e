package chat

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	reportKind   ItemKind = "report"      // the server's, open, by id: ids are in the order of their times
	resolvedKind ItemKind = "report_done" // … that somebody has looked at

	// maxReportText is the longest text of a report, and of what was done about it, in characters.
	maxReportText = 1000
	// resolvedKept is how long a report is kept that somebody has looked at.
	resolvedKept = 180 * 24 * time.Hour
)

// Reasons answers what something may be reported for.
func Reasons() []string {
	return []string{"spam", "harassment", "hate", "violence", "sexual", "child_safety", "self_harm", "illegal", "fraud", "impersonation", "other"}
}

// Report is a report of a message or a user.
type Report struct {
	ID           string          `json:"-"`
	From         UserID          `json:"from"`
	Time         time.Time       `json:"time"`
	User         UserID          `json:"user"` // who is reported: the message's sender, if it is one
	Conversation ConversationID  `json:"conversation,omitempty"`
	Seq          Seq             `json:"seq,omitempty"`
	Reason       string          `json:"reason"`
	Text         string          `json:"text,omitempty"`
	Event        json.RawMessage `json:"event,omitempty"` // the message as it was when it was reported

	// Of one that was looked at.
	Outcome string    `json:"outcome,omitempty"` // dismissed or acted
	Note    string    `json:"note,omitempty"`
	By      UserID    `json:"by,omitempty"`
	Closed  time.Time `json:"closed,omitzero"`
}

// NewReport is a report to be made: of a message, or of a user.
type NewReport struct {
	Key    [16]byte
	User   UserID
	Target EventKey
	Reason string
	Text   string
}

func (r *NewReport) check() error {
	if (r.User == "") == (r.Target.Conversation == "") {
		return invalid("user", "user or conversation and seq: one of them is reported")
	}
	if r.User != "" {
		if err := CheckUserID(r.User); err != nil {
			return paramError("user", err)
		}
	}
	if !slices.Contains(Reasons(), r.Reason) {
		return invalid("reason", "reason: one of %s", strings.Join(Reasons(), ", "))
	}
	return checkNote("text", r.Text)
}

func checkNote(param, text string) error {
	if !utf8.ValidString(text) || utf8.RuneCountInString(text) > maxReportText {
		return invalid(param, "%s: at most %d characters", param, maxReportText)
	}
	return nil
}

// Report reports a user, or a message that the caller can read, which is kept as it is now
// whatever becomes of it. It answers the report's id. Nobody but the operator's side is told.
func (s *Service) Report(ctx context.Context, a Actor, r NewReport) (string, error) {
	if err := r.check(); err != nil {
		return "", err
	}
	if r.User == a.User {
		return "", invalid("user", "user: somebody else")
	}
	cl := newCall(a.User, r.Key, "reports.create", string(r.User), string(r.Target.Conversation), fmt.Sprint(r.Target.Seq), r.Reason, r.Text)
	id := fmt.Sprintf("%013d_%s", s.cfg.Now().UnixMilli(), randomID())
	var event *Event
	var unread error
	if r.Target.Conversation != "" {
		event, unread = s.readMessage(ctx, a, r.Target)
	}
	rated := false
	var tooMany error
	place, err := s.await(ctx, &operation{
		keys: func(k *Keys) { k.Calls = append(k.Calls, cl.key) },
		decide: func(b *batch) (Place, error) {
			if p, found, err := b.recall(cl.key, cl.hash); found {
				return p, err
			}
			if unread != nil {
				return Place{}, unread
			}
			if a.Limited && !rated {
				rated = true
				n := s.cfg.Limits.ReportsHourly
				if wait, ok := s.rates.take("r"+string(a.User), float64(n)/3600, n, b.now); !ok {
					tooMany = tooFast("you report too much", wait)
				}
			}
			if tooMany != nil {
				return Place{}, tooMany
			}
			report := Report{From: a.User, Time: b.now, User: r.User, Reason: r.Reason, Text: r.Text}
			if event != nil {
				report.User, report.Conversation, report.Seq, report.Event = event.From, event.Conversation, event.Seq, event.JSON
			}
			b.putItem(&Item{ItemKey: ItemKey{ServerHolder, reportKind, id}, Body: mustJSON(report)})
			// The place of a report is its id.
			return b.remember(cl.key, cl.hash, &Event{Conversation: ConversationID(id), Time: b.now}), nil
		},
	})
	return string(place.Conversation), err
}

// Reports answers reports, open ones or those that were looked at, oldest first, and whether
// there are more.
func (s *Service) Reports(ctx context.Context, open bool, after string, limit int) ([]Report, bool, error) {
	kind := resolvedKind
	if open {
		kind = reportKind
	}
	items, err := s.store.Items(ctx, ItemRange{Holder: ServerHolder, Kind: kind, After: after, Limit: limit + 1})
	if err != nil {
		return nil, false, readError(err)
	}
	more := len(items) > limit
	list := make([]Report, min(limit, len(items)))
	for i := range list {
		if list[i], err = parseReport(&items[i]); err != nil {
			return nil, false, readError(err)
		}
	}
	return list, more, nil
}

func parseReport(it *Item) (r Report, err error) {
	if err := json.Unmarshal(it.Body, &r); err != nil {
		return r, fmt.Errorf("a report: %w", err)
	}
	r.ID = it.Key
	return r, nil
}

// ResolveReport says what came of a report. One that was resolved before is resolved anew.
func (s *Service) ResolveReport(ctx context.Context, a Actor, id, outcome, note string) error {
	if outcome != "dismissed" && outcome != "acted" {
		return invalid("outcome", "outcome: dismissed or acted")
	}
	if err := checkNote("note", note); err != nil {
		return err
	}
	open, done := ItemKey{ServerHolder, reportKind, id}, ItemKey{ServerHolder, resolvedKind, id}
	_, err := s.await(ctx, &operation{
		keys: func(k *Keys) { k.Items = append(k.Items, open, done) },
		decide: func(b *batch) (Place, error) {
			it := cmp.Or(b.item(open), b.item(done))
			if it == nil {
				return Place{}, &Error{Code: CodeNotFound, Message: "there is no such report"}
			}
			r, err := parseReport(it)
			if err != nil {
				return Place{}, err
			}
			r.Outcome, r.Note, r.By, r.Closed = outcome, note, a.User, b.now
			b.forgetItem(open)
			b.putItem(&Item{ItemKey: done, Body: mustJSON(r), Due: b.now.Add(resolvedKept)})
			return Place{}, nil
		},
	})
	return err
}

// forgetReport removes a report that was looked at long ago.
func (s *Service) forgetReport(it Item) *operation {
	return &operation{
		keys: func(k *Keys) { k.Items = append(k.Items, it.ItemKey) },
		decide: func(b *batch) (Place, error) {
			if now := b.item(it.ItemKey); now != nil && !now.Due.After(b.now) {
				b.forgetItem(it.ItemKey)
			}
			return Place{}, nil
		},
	}
}
