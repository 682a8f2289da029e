package api

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/linnet-im/linnet/wire"
)

// Reference makes docs/api/README.md.
func (t *Table) Reference() []byte {
	var b strings.Builder
	b.WriteString("# API reference\n\nMade from the table of methods; do not edit. " +
		"Over a socket a method is a JSON-RPC call, over HTTP it is `POST /v1/<method>`: [the links](../links/).\n\n")
	b.WriteString("| method | called by | a key's scope | repeated | what it does |\n| --- | --- | --- | --- | --- |\n")
	for _, m := range t.methods {
		fmt.Fprintf(&b, "| [`%s`](#%s) | %s | %s | %s | %s |\n", m.Name, anchor(m.Name), m.Access, m.Scope, m.Repeat, m.Doc)
	}
	types := map[reflect.Type]bool{}
	var named []reflect.Type
	for _, m := range t.methods {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n", m.Name, m.Doc)
		var notes []string
		if m.Notify {
			notes = append(notes, "May be called without an id; then nothing is answered.")
		}
		if m.Live {
			notes = append(notes, "Needs a live connection: not over HTTP.")
		}
		if len(notes) > 0 {
			b.WriteString(strings.Join(notes, " ") + "\n\n")
		}
		writeType(&b, "Parameters", m.Params)
		writeType(&b, "Result", m.Result)
		for _, part := range []reflect.Type{m.Params, m.Result} {
			named = collect(part, types, named)
		}
	}
	b.WriteString("\n# Types\n")
	slices.SortFunc(named, func(a, b reflect.Type) int { return strings.Compare(a.Name(), b.Name()) })
	for _, n := range named {
		fmt.Fprintf(&b, "\n## %s\n\n", n.Name())
		writeFields(&b, n)
	}
	writeListeners(&b)
	b.WriteString("\n# Notifications\n")
	for _, n := range notifications() {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n", n.name, n.doc)
		writeFields(&b, n.params)
	}
	b.WriteString("\n# Error codes\n\n| code | HTTP | JSON-RPC | when |\n| --- | --- | --- | --- |\n")
	for _, c := range wire.Codes() {
		fmt.Fprintf(&b, "| `%s` | %d | %d | %s |\n", c.Code, c.Status, c.RPC, c.Doc)
	}
	return []byte(b.String())
}

type notification struct {
	name, doc string
	params    reflect.Type
}

func notifications() []notification {
	return []notification{
		{"event", "An entry of a conversation's log.", reflect.TypeFor[wire.Event]()},
		{"checkpoint", "Everything up to the cursor has been sent on this connection. Keep it in one step with those events, " +
			"but not before a sync that is under way has ended; then call session.ack.", reflect.TypeFor[wire.Checkpoint]()},
		{"gap", "Events that were skipped on the way: fetch them with messages.list, or show that they were.", reflect.TypeFor[wire.Gap]()},
		{"read", "A member's read position moved.", reflect.TypeFor[wire.ReadNotice]()},
		{"typing", "Somebody is writing in a conversation, or has stopped.", reflect.TypeFor[wire.Typing]()},
		{"presence", "What is to be seen of a user who is subscribed to has changed: the whole of it.", reflect.TypeFor[wire.Presence]()},
		{"item", "A part of the user's own state changed: the whole of it. It goes to the user's own sessions; sync tells those who were away.", reflect.TypeFor[wire.Item]()},
		{"user", "The profile of the user, or of one whose presence is subscribed to, has changed: the whole of it.", reflect.TypeFor[wire.User]()},
		{"prefs", "What the user has chosen about a conversation in its list changed. It goes to the user's own sessions; sync tells those who were away.", reflect.TypeFor[wire.PrefsNotice]()},
		{"reset", "Event streams and polls only: the cursor does not hold. Over sockets, sync says so.", reflect.TypeFor[wire.Reset]()},
		{"item", "A part of the user's own state has changed: the whole of it. Told to the user's own sessions.", reflect.TypeFor[wire.Item]()},
		{"signal", "Something told once to who is connected, and not logged.", reflect.TypeFor[wire.Signal]()},
		{"stream", "Text of a message that grows, in order.", reflect.TypeFor[wire.StreamNotice]()},
		{"room.attributes", "Attributes of a room were set or removed.", reflect.TypeFor[wire.RoomAttributes]()},
		{"room.likes", "Likes that have come since the last one, at most once a second.", reflect.TypeFor[wire.RoomLikes]()},
		{"membership", "The user came into a channel or left it, on another device or by somebody else: it is not in the log.", reflect.TypeFor[wire.MembershipNotice]()},
		{"room.removed", "This session was taken out of a room.", reflect.TypeFor[wire.RoomRemoved]()},
		{"room.members", "Who came into and left a room, at most once a second.", reflect.TypeFor[wire.RoomMembers]()},
		{"ping", "Asks for a sign of life; anything sent is one. Over WebSocket a ping frame comes instead.", reflect.TypeFor[wire.Empty]()},
		{"close", "The last frame before the server closes the connection.", reflect.TypeFor[wire.Close]()},
	}
}

func anchor(name string) string { return strings.ReplaceAll(strings.ToLower(name), ".", "") }

func writeType(b *strings.Builder, title string, t reflect.Type) {
	if len(Fields(t)) == 0 {
		fmt.Fprintf(b, "%s: none (`{}`).\n\n", title)
		return
	}
	if !strings.HasSuffix(t.Name(), "Params") && !strings.HasSuffix(t.Name(), "Result") {
		fmt.Fprintf(b, "%s: %s.\n\n", title, typeName(t))
		return
	}
	fmt.Fprintf(b, "%s:\n\n", title)
	writeFields(b, t)
	b.WriteString("\n")
}

func writeFields(b *strings.Builder, t reflect.Type) {
	fields := Fields(t)
	if len(fields) == 0 {
		b.WriteString("No fields.\n")
		return
	}
	b.WriteString("| field | type | |\n| --- | --- | --- |\n")
	for _, f := range fields {
		doc := f.Doc
		if f.Optional {
			doc = strings.TrimSuffix("optional; "+doc, "; ")
		}
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", f.Name, typeName(f.Type), doc)
	}
}

func typeName(t reflect.Type) string {
	if t == reflect.TypeFor[jsontext.Value]() {
		return "object"
	}
	switch t.Kind() {
	case reflect.Pointer:
		return typeName(t.Elem())
	case reflect.Slice, reflect.Array:
		return "list of " + typeName(t.Elem())
	case reflect.Map:
		return "object of " + typeName(t.Elem())
	case reflect.Struct:
		return fmt.Sprintf("[%s](#%s)", t.Name(), strings.ToLower(t.Name()))
	case reflect.Int, reflect.Int64:
		return "integer"
	case reflect.Bool:
		return "boolean"
	}
	return t.Kind().String()
}

// collect adds the struct types that t's fields name, each once, to list.
func collect(t reflect.Type, seen map[reflect.Type]bool, list []reflect.Type) []reflect.Type {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Array {
		if t == reflect.TypeFor[jsontext.Value]() {
			return list
		}
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return list
	}
	inline := strings.HasSuffix(t.Name(), "Params") || strings.HasSuffix(t.Name(), "Result") || t == reflect.TypeFor[wire.Empty]()
	if !inline && !seen[t] {
		seen[t] = true
		list = append(list, t)
	}
	for _, f := range Fields(t) {
		list = collect(f.Type, seen, list)
	}
	return list
}
