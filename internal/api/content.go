package api

import (
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/linnet-im/linnet/wire"
)

// MaxContent is the longest content of a message, in bytes of compact JSON.
const MaxContent = 16 << 10

// content is what a message's content may hold.
type content struct {
	Type   string         `json:"type"`
	Text   *string        `json:"text"`
	URL    string         `json:"url,omitzero"`
	Custom jsontext.Value `json:"custom,omitzero"`
}

// checkContent checks a message's content and answers it as compact JSON.
func checkContent(raw jsontext.Value) (jsontext.Value, error) {
	if len(raw) == 0 || raw.Kind() != '{' {
		return nil, paramErrorf("content", "content: an object such as {\"type\":\"text\",\"text\":\"hello\"}")
	}
	// The parameters were decoded strictly, so what is left to fail is a syntax of content's own.
	var c content
	if err := json.Unmarshal(raw, &c, json.RejectUnknownMembers(true)); err != nil {
		return nil, paramErrorf("content", "content: has type, text, url (images) and custom; free fields go under custom")
	}
	switch {
	case c.Text == nil:
		return nil, paramErrorf("content.text", "content.text: the text for clients that do not know the type")
	case c.Type == "text" && *c.Text == "":
		return nil, paramErrorf("content.text", "content.text: a text message has one")
	case c.Type == "image" && c.URL == "":
		return nil, paramErrorf("content.url", "content.url: where the image is")
	case c.Type != "image" && c.URL != "":
		return nil, paramErrorf("content.url", "content.url: only images have one")
	case c.Type != "text" && c.Type != "image" && c.Type != "custom":
		return nil, paramErrorf("content.type", "content.type: text, image or custom")
	}
	// An answer and an event are one line each: white space, line feeds among it, goes.
	compact := raw.Clone()
	if err := compact.Compact(); err != nil {
		return nil, paramErrorf("content", "content: not JSON")
	}
	if len(compact) > MaxContent {
		return nil, wire.Errorf(wire.CodeTooLarge, "content: %d bytes are more than the %d that are taken", len(compact), MaxContent)
	}
	return compact, nil
}
