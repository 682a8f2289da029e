package api

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/linnet-im/linnet/wire"
)

// listenerRow is a way to listen over HTTP, for the documents. Its rights are those of a
// session: it is told what session.open's connection would be.
type listenerRow struct {
	path, doc string
	result    reflect.Type // nil: an event stream
}

func listeners() []listenerRow {
	return []listenerRow{
		{
			"/v1/events", "Server-Sent Events: each notification is a frame, with its name as event and its params as data. " +
				"Frames of checkpoints have the cursor as id.", nil,
		},
		{
			"/v1/poll", "Answers what came since the cursor, at once if there is anything, else when something comes or the wait is over. " +
				"Without a cursor it answers the present one. The poller is online from one poll to the next, for 30 seconds.", reflect.TypeFor[wire.PollResult](),
		},
	}
}

func (l *listenerRow) operation(s *schemas) object {
	var parameters []any
	for _, f := range Fields(reflect.TypeFor[wire.ListenParams]()) {
		if f.Name == "wait" && l.result == nil {
			continue
		}
		parameters = append(parameters, object{"name": f.Name, "in": "query", "required": !f.Optional, "description": f.Doc, "schema": s.of(f.Type)})
	}
	op := object{
		"operationId": strings.TrimPrefix(l.path, "/v1/"), "summary": l.doc,
		"description": fmt.Sprintf("Called by: %s. Repeated: %s.", Sessions, ByNature), "parameters": parameters,
	}
	if l.result != nil {
		op["responses"] = responses("what came", "application/json", s.of(l.result))
	} else {
		op["responses"] = responses("a stream that goes on", "text/event-stream", object{"type": "string"})
	}
	return op
}

// writeListeners writes the listeners' part of the reference.
func writeListeners(b *strings.Builder) {
	b.WriteString("\n# Listening over HTTP\n")
	for _, l := range listeners() {
		fmt.Fprintf(b, "\n## GET %s\n\n%s\n\n", l.path, l.doc)
		writeFields(b, reflect.TypeFor[wire.ListenParams]())
		if l.result != nil {
			b.WriteString("\nResult:\n\n")
			writeFields(b, l.result)
			b.WriteString("\nA notification has:\n\n")
			writeFields(b, reflect.TypeFor[wire.Notification]())
		}
	}
}
