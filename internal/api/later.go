package api

import (
	"context"
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/wire"
)

// laterRows are those for what is not in the log: signals, and messages that wait.
func (m methods) laterRows() []*Method {
	return []*Method{
		row(Method{
			Name: "signals.send", Access: Sessions, Repeat: AtMostOnce, Scope: chat.ScopeSend, Notify: true,
			Doc: "Tells who is connected, by the notification signal: at most once, and not in the log. For calls, cursors, " +
				"reactions of the moment. Whether anybody was there is not told.",
		}, m.signalsSend),
		row(Method{
			Name: "schedule.create", Access: Sessions, Repeat: ByClientID, Scope: chat.ScopeSend,
			Doc: "Has a message sent later. Rights are looked at now and again then; what is not allowed then is told by the item of kind schedule. " +
				"At most 200 wait.",
		}, m.scheduleCreate),
		row(Method{
			Name: "schedule.list", Access: Sessions, Repeat: ByNature, Scope: chat.ScopeRead,
			Doc: "The caller's messages that wait, or that could not be sent.",
		}, m.scheduleList),
		row(Method{
			Name: "schedule.cancel", Access: Sessions, Repeat: ByNature, Scope: chat.ScopeSend,
			Doc: "Removes a message that waits, or that could not be sent.",
		}, m.scheduleCancel),
	}
}

const (
	maxSignalType = 64      // characters
	maxSignalData = 4 << 10 // bytes
)

func (m methods) signalsSend(ctx context.Context, c Caller, p *wire.SignalParams) (wire.Empty, error) {
	if err := checkTo(p.To); err != nil {
		return wire.Empty{}, err
	}
	if n := utf8.RuneCountInString(p.Type); n == 0 || n > maxSignalType {
		return wire.Empty{}, paramErrorf("type", "type: 1 to %d characters", maxSignalType)
	}
	data := p.Data.Clone()
	if len(data) > 0 {
		if err := data.Compact(); err != nil {
			return wire.Empty{}, paramErrorf("data", "data: not JSON")
		}
	}
	if len(data) > maxSignalData {
		return wire.Empty{}, wire.Errorf(wire.CodeTooLarge, "data: %d bytes are more than the %d that are taken", len(data), maxSignalData)
	}
	return wire.Empty{}, m.chat.Signal(ctx, actor(c), chat.Signal{
		ToUser: chat.UserID(p.To.User), Conversation: chat.ConversationID(p.To.Conversation), Type: p.Type, Data: json.RawMessage(data),
	})
}

// checkTo checks that exactly one of the two is there.
func checkTo(to wire.To) error {
	if (to.User == "") == (to.Conversation == "") {
		return paramErrorf("to", "to: either user or conversation")
	}
	return nil
}

func (m methods) scheduleCreate(ctx context.Context, c Caller, p *wire.ScheduleParams) (wire.ScheduleResult, error) {
	send, err := sendOf(&wire.SendParams{
		To: p.To, ClientID: strings.ToLower(p.ClientID), Content: p.Content, Only: p.Only,
		ReplyTo: p.ReplyTo, Values: p.Values, Priority: p.Priority, BurnMS: p.BurnMS,
	})
	if err != nil {
		return wire.ScheduleResult{}, err
	}
	at, err := time.Parse(time.RFC3339, p.At)
	if err != nil {
		return wire.ScheduleResult{}, paramErrorf("at", "at: a time such as 2027-01-31T08:00:00Z")
	}
	at, err = m.chat.Schedule(ctx, actor(c), send, at)
	return wire.ScheduleResult{ID: strings.ToLower(p.ClientID), At: wire.FormatTime(at)}, err
}

func (m methods) scheduleList(ctx context.Context, c Caller, _ *wire.Empty) (wire.SchedulesResult, error) {
	list, err := m.chat.Schedules(ctx, actor(c))
	out := wire.SchedulesResult{Scheduled: make([]wire.Item, len(list))}
	for i, w := range list {
		out.Scheduled[i] = wire.Item{Kind: "schedule", Key: w.ClientID, Body: jsontext.Value(w.Body)}
	}
	return out, err
}

func (m methods) scheduleCancel(ctx context.Context, c Caller, p *wire.ScheduleCancelParams) (wire.ScheduleCancelResult, error) {
	if _, err := wire.ParseUUID(p.ID); err != nil {
		return wire.ScheduleCancelResult{}, paramErrorf("id", "id: as schedule.create answered it")
	}
	cancelled, err := m.chat.Unschedule(ctx, actor(c), strings.ToLower(p.ID))
	return wire.ScheduleCancelResult{Cancelled: cancelled}, err
}
