package chat

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"
)

const timeLayout = "2006-01-02T15:04:05.000Z"

// Encode sets e.JSON from the other fields; they must not change after it.
func (e *Event) Encode() {
	if e.Erased {
		e.JSON = erasedJSON(e)
		return
	}
	b := make([]byte, 0, 192+len(e.Content))
	b = append(b, `{"conversation":`...)
	b = appendString(b, string(e.Conversation))
	b = append(b, `,"seq":`...)
	b = strconv.AppendInt(b, int64(e.Seq), 10)
	b = append(b, `,"kind":`...)
	b = appendString(b, string(e.Kind))
	if e.From != "" {
		b = append(b, `,"from":`...)
		b = appendString(b, string(e.From))
	}
	if e.ClientID != "" {
		b = append(b, `,"client_id":`...)
		b = appendString(b, e.ClientID)
	}
	b = append(b, `,"time":"`...)
	b = AppendTime(b, e.Time)
	b = append(b, `","count":`...)
	b = strconv.AppendInt(b, e.Count, 10)
	if e.Changed != 0 {
		b = append(b, `,"changed":`...)
		b = strconv.AppendInt(b, int64(e.Changed), 10)
	}
	if !e.Edited.IsZero() {
		b = append(b, `,"edited":true,"edited_at":"`...)
		b = append(AppendTime(b, e.Edited), '"')
	}
	if e.ReplyTo != 0 {
		b = append(b, `,"reply_to":`...)
		b = strconv.AppendInt(b, int64(e.ReplyTo), 10)
	}
	if e.Values != nil {
		b = append(b, `,"values":`...)
		b = append(b, mustJSON(e.Values)...)
	}
	if len(e.Reactions) > 0 {
		b = append(b, `,"reactions":`...)
		b = append(b, mustJSON(e.Reactions)...)
	}
	if len(e.Targets) > 0 {
		b = append(b, `,"targets":[`...)
		for i, t := range e.Targets {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(b, '[')
			b = strconv.AppendInt(b, int64(t[0]), 10)
			b = append(b, ',')
			b = strconv.AppendInt(b, int64(t[1]), 10)
			b = append(b, ']')
		}
		b = append(b, ']')
	}
	if e.Thread != "" {
		b = append(b, `,"thread":`...)
		b = appendString(b, string(e.Thread))
	}
	if e.Burn != 0 {
		b = append(b, `,"burn_ms":`...)
		b = strconv.AppendInt(b, e.Burn.Milliseconds(), 10)
	}
	if !e.Opened.IsZero() {
		b = append(b, `,"opened_at":"`...)
		b = append(AppendTime(b, e.Opened), '"')
	}
	if e.Priority != NormalPriority {
		b = append(b, `,"priority":`...)
		b = appendString(b, string(e.Priority))
	}
	if e.Stream != "" {
		b = append(b, `,"stream":`...)
		b = appendString(b, e.Stream)
	}
	if e.Only != nil {
		b = append(b, `,"only":[`...)
		for i, u := range e.Only {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendString(b, string(u))
		}
		b = append(b, ']')
	}
	if len(e.Content) > 0 {
		b = append(b, `,"content":`...)
		b = append(b, e.Content...)
	}
	e.JSON = append(b, '}')
}

// ParseEvent gives a stored event back its fields. What the domain encoded parses; of
// anything else it answers what it could read.
func ParseEvent(id ConversationID, rec Record) *Event {
	var fields struct {
		Kind     EventKind       `json:"kind"`
		From     UserID          `json:"from"`
		ClientID string          `json:"client_id"`
		Time     time.Time       `json:"time"`
		Count    int64           `json:"count"`
		Changed  Seq             `json:"changed"`
		Edited   time.Time       `json:"edited_at"`
		ReplyTo  Seq             `json:"reply_to"`
		Values   *Values         `json:"values"`
		Reacted  []Reaction      `json:"reactions"`
		Targets  [][2]Seq        `json:"targets"`
		Thread   ConversationID  `json:"thread"`
		BurnMS   int64           `json:"burn_ms"`
		Opened   time.Time       `json:"opened_at"`
		Priority Priority        `json:"priority"`
		Stream   string          `json:"stream"`
		Content  json.RawMessage `json:"content"`
	}
	_ = json.Unmarshal(rec.JSON, &fields) // a damaged row is delivered as it is
	return &Event{
		Conversation: id, Seq: rec.Seq, Kind: fields.Kind, From: fields.From, ClientID: fields.ClientID,
		Time: fields.Time, Count: fields.Count, Changed: fields.Changed, Edited: fields.Edited, ReplyTo: fields.ReplyTo,
		Values: fields.Values, Reactions: fields.Reacted, Targets: fields.Targets, Thread: fields.Thread,
		Burn: time.Duration(fields.BurnMS) * time.Millisecond, Opened: fields.Opened, Priority: fields.Priority, Stream: fields.Stream,
		Only: rec.Only, Content: fields.Content, JSON: rec.JSON,
	}
}

// head is a record without its content: Encode writes that last, and inside a string
// quotes are escaped.
func (r *Record) head() []byte {
	head, _, _ := bytes.Cut(r.JSON, []byte(`,"content":`))
	return head
}

// changesOthers says whether a record is a change of others.
func (r *Record) changesOthers() bool { return bytes.Contains(r.head(), []byte(`,"targets":[`)) }

// standsAlone says whether a record is something by itself: neither a void nor a change of others.
func (r *Record) standsAlone() bool {
	return !bytes.Contains(r.head(), []byte(`,"kind":"void"`)) && !r.changesOthers()
}

// VoidJSON is what a reader gets for events that are not for it: seqs from to to.
func VoidJSON(id ConversationID, from, to Seq) []byte {
	b := appendString([]byte(`{"conversation":`), string(id))
	b = append(b, `,"seq":`...)
	b = strconv.AppendInt(b, int64(from), 10)
	if to > from {
		b = append(b, `,"to_seq":`...)
		b = strconv.AppendInt(b, int64(to), 10)
	}
	return append(b, `,"kind":"void"}`...)
}

// erasedJSON is what everybody gets for an event whose content is gone.
func erasedJSON(e *Event) []byte {
	b := VoidJSON(e.Conversation, e.Seq, e.Seq)
	b = append(b[:len(b)-1], `,"changed":`...)
	b = strconv.AppendInt(b, int64(e.Changed), 10)
	return append(b, '}')
}

// Hidden gives the event as those see it whom it is not for.
func (e *Event) Hidden() *Event {
	return &Event{Conversation: e.Conversation, Seq: e.Seq, Kind: Void, JSON: VoidJSON(e.Conversation, e.Seq, e.Seq)}
}

// AppendTime appends t in the wire's form: RFC 3339, UTC, milliseconds.
func AppendTime(b []byte, t time.Time) []byte { return t.UTC().AppendFormat(b, timeLayout) }

// timeText gives t the wire's form, empty for the zero time.
func timeText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return string(AppendTime(nil, t))
}

// appendString appends s as a JSON string. Ids are nearly always plain ASCII.
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c >= 0x7f || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			q, err := json.Marshal(s)
			if err != nil {
				panic(err) // a string always encodes
			}
			return append(b, q...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}
