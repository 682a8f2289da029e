package api

import (
	"errors"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/wire"
)

const (
	// MaxContent is the longest content of a message, in bytes of compact JSON.
	MaxContent = 16 << 10
	// MaxForward is the longest content of the type forward, which holds other messages.
	MaxForward = 48 << 10

	maxURL       = 2048 // bytes
	maxFileName  = 255  // bytes
	maxMIME      = 127  // bytes
	maxTitle     = 200  // characters
	maxAddress   = 500  // characters
	maxPixels    = 100_000
	maxDuration  = 24 * 3600 * 1000 // ms
	maxWaveform  = 200              // samples
	maxMentions  = 50
	maxForwarded = 100 // messages in one
	maxNested    = 2   // a forward may hold forwards, and those none
)

// contentType is a row of the table of what a message may be.
type contentType struct {
	name   string
	fields string // besides type, text and custom
	limit  int    // bytes
	edit   bool   // a message of it may be edited, and edited into it
	// decode reads a content strictly and says what is wrong with it.
	decode func(raw jsontext.Value) (checker, error)
}

// checker checks the values of a content. depth is how many forwards it is in.
type checker interface {
	check(depth int) error
	fallback() *string
}

// contentTypes is the table. A forward holds contents, so that it cannot be a variable.
func contentTypes() [10]contentType {
	return [...]contentType{
		{"text", "mentions", MaxContent, true, as[textContent]},
		{"markdown", "mentions", MaxContent, true, as[textContent]},
		{"image", "url, width, height, size, thumb", MaxContent, false, as[imageContent]},
		{"voice", "url, duration_ms, size, waveform", MaxContent, false, as[voiceContent]},
		{"video", "url, duration_ms, width, height, size, thumb", MaxContent, false, as[videoContent]},
		{"file", "url, name, size, mime", MaxContent, false, as[fileContent]},
		{"location", "lat, lng, title, address", MaxContent, false, as[locationContent]},
		{"card", "user", MaxContent, false, as[cardContent]},
		{"forward", "title, items", MaxForward, false, as[forwardContent]},
		{"custom", "mentions", MaxContent, true, as[customContent]},
	}
}

// as reads a content into the struct of its type.
func as[T any, P interface {
	*T
	checker
}](raw jsontext.Value) (checker, error) {
	c := P(new(T))
	return c, json.Unmarshal(raw, c, json.RejectUnknownMembers(true))
}

// base is what every content has.
type base struct {
	Type   string         `json:"type"`
	Text   *string        `json:"text"`
	Custom jsontext.Value `json:"custom,omitzero"`
}

func (b *base) fallback() *string { return b.Text }

type mention struct {
	User   string `json:"user,omitzero"`
	All    bool   `json:"all,omitzero"`
	From   int    `json:"from,omitzero"`
	Length int    `json:"length,omitzero"`
}

type mentions struct {
	Mentions []mention `json:"mentions,omitzero"`
}

// check checks mentions against the text they are in. Places count UTF-16 units.
func (m *mentions) check(text string) error {
	if len(m.Mentions) > maxMentions {
		return fieldErrorf("mentions", "at most %d of them", maxMentions)
	}
	units := len(utf16.Encode([]rune(text)))
	for i, one := range m.Mentions {
		at := fmt.Sprintf("mentions.%d", i)
		switch {
		case (one.User == "") == !one.All:
			return fieldErrorf(at, "either user, or all: true")
		case one.User != "" && chat.CheckUserID(chat.UserID(one.User)) != nil:
			return fieldErrorf(at+".user", "not a user id")
		case one.From < 0 || one.Length < 0 || one.From > units || one.Length > units-one.From:
			return fieldErrorf(at, "from and length: a part of text, in UTF-16 units; it has %d", units)
		}
	}
	return nil
}

type textContent struct {
	base
	mentions
}

func (c *textContent) check(int) error {
	if *c.Text == "" {
		return fieldErrorf("text", "a %s message has one", c.Type)
	}
	return c.mentions.check(*c.Text)
}

type customContent struct {
	base
	mentions
}

func (c *customContent) check(int) error { return c.mentions.check(*c.Text) }

type imageContent struct {
	base
	URL    string `json:"url"`
	Width  int64  `json:"width,omitzero"`
	Height int64  `json:"height,omitzero"`
	Size   int64  `json:"size,omitzero"`
	Thumb  string `json:"thumb,omitzero"`
}

func (c *imageContent) check(int) error {
	return firstOf(link("url", c.URL), pixels("width", c.Width), pixels("height", c.Height), size(c.Size), optional("thumb", c.Thumb))
}

type voiceContent struct {
	base
	URL        string `json:"url"`
	DurationMS int64  `json:"duration_ms"`
	Size       int64  `json:"size,omitzero"`
	Waveform   []int  `json:"waveform,omitzero"`
}

func (c *voiceContent) check(int) error {
	if len(c.Waveform) > maxWaveform {
		return fieldErrorf("waveform", "at most %d samples", maxWaveform)
	}
	for _, v := range c.Waveform {
		if v < 0 || v > 100 {
			return fieldErrorf("waveform", "samples from 0 to 100")
		}
	}
	return firstOf(link("url", c.URL), duration(c.DurationMS), size(c.Size))
}

type videoContent struct {
	base
	URL        string `json:"url"`
	DurationMS int64  `json:"duration_ms,omitzero"`
	Width      int64  `json:"width,omitzero"`
	Height     int64  `json:"height,omitzero"`
	Size       int64  `json:"size,omitzero"`
	Thumb      string `json:"thumb,omitzero"`
}

func (c *videoContent) check(int) error {
	return firstOf(link("url", c.URL), duration(c.DurationMS), pixels("width", c.Width), pixels("height", c.Height),
		size(c.Size), optional("thumb", c.Thumb))
}

type fileContent struct {
	base
	URL  string `json:"url"`
	Name string `json:"name"`
	Size int64  `json:"size,omitzero"`
	MIME string `json:"mime,omitzero"`
}

func (c *fileContent) check(int) error {
	switch {
	case c.Name == "" || len(c.Name) > maxFileName:
		return fieldErrorf("name", "1 to %d bytes", maxFileName)
	case !oneLine(c.Name) || strings.ContainsAny(c.Name, `/\`):
		return fieldErrorf("name", "a file's name: one line without slashes or invisible characters")
	case c.MIME != "" && !isMIME(c.MIME):
		return fieldErrorf("mime", "a media type such as application/pdf")
	}
	return firstOf(link("url", c.URL), size(c.Size))
}

type locationContent struct {
	base
	Lat     *float64 `json:"lat"`
	Lng     *float64 `json:"lng"`
	Title   string   `json:"title,omitzero"`
	Address string   `json:"address,omitzero"`
}

func (c *locationContent) check(int) error {
	within := func(v *float64, most float64) bool { return v != nil && math.Abs(*v) <= most }
	switch {
	case !within(c.Lat, 90):
		return fieldErrorf("lat", "degrees from -90 to 90")
	case !within(c.Lng, 180):
		return fieldErrorf("lng", "degrees from -180 to 180")
	}
	return firstOf(characters("title", c.Title, maxTitle), characters("address", c.Address, maxAddress))
}

type cardContent struct {
	base
	User string `json:"user"`
}

func (c *cardContent) check(int) error {
	if err := chat.CheckUserID(chat.UserID(c.User)); err != nil {
		return fieldErrorf("user", "whose card it is, a user id")
	}
	return nil
}

type forwardContent struct {
	base
	Title string         `json:"title,omitzero"`
	Items []forwardedOne `json:"items"`
}

type forwardedOne struct {
	From    string         `json:"from"`
	Name    string         `json:"name,omitzero"`
	Time    string         `json:"time"`
	Content jsontext.Value `json:"content"`
}

func (c *forwardContent) check(depth int) error {
	switch {
	case depth >= maxNested:
		return fieldErrorf("type", "forwards are in each other at most %d deep", maxNested)
	case len(c.Items) == 0 || len(c.Items) > maxForwarded:
		return fieldErrorf("items", "1 to %d messages", maxForwarded)
	}
	if err := characters("title", c.Title, maxTitle); err != nil {
		return err
	}
	for i := range c.Items {
		one := &c.Items[i]
		at := fmt.Sprintf("items.%d.", i)
		if chat.CheckUserID(chat.UserID(one.From)) != nil {
			return fieldErrorf(at+"from", "who wrote it, a user id")
		}
		if _, err := time.Parse(time.RFC3339, one.Time); err != nil {
			return fieldErrorf(at+"time", "when it was written, such as 2026-11-23T08:00:00.000Z")
		}
		if err := characters(at+"name", one.Name, maxTitle); err != nil {
			return err
		}
		if _, err := checkValue(one.Content, depth+1); err != nil {
			return under(at+"content", err)
		}
	}
	return nil
}

// fieldError is what is wrong with a field of a content.
type fieldError struct{ field, message string }

func (e *fieldError) Error() string { return e.field + ": " + e.message }

func fieldErrorf(field, format string, args ...any) error {
	return &fieldError{field, fmt.Sprintf(format, args...)}
}

// under says that an error is in a part of a content; "" is the content itself.
func under(part string, err error) error {
	var e *fieldError
	if !errors.As(err, &e) {
		return err
	}
	return &fieldError{strings.TrimSuffix(part+"."+e.field, "."), e.message}
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// link checks where something is: only http and https, since clients open it.
func link(field, text string) error {
	if text == "" || len(text) > maxURL {
		return fieldErrorf(field, "an http or https URL of at most %d bytes", maxURL)
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || !oneLine(text) || strings.Contains(text, " ") {
		return fieldErrorf(field, "an http or https URL, without a user or a password in it")
	}
	return nil
}

func optional(field, text string) error {
	if text == "" {
		return nil
	}
	return link(field, text)
}

func pixels(field string, n int64) error { return between(field, n, maxPixels) }

func size(n int64) error { return between("size", n, maxSeq) }

func duration(n int64) error { return between("duration_ms", n, maxDuration) }

func between(field string, n, most int64) error {
	if n < 0 || n > most {
		return fieldErrorf(field, "0 to %d", most)
	}
	return nil
}

func characters(field, text string, most int) error {
	if utf8.RuneCountInString(text) > most || !oneLine(text) {
		return fieldErrorf(field, "one line of at most %d characters", most)
	}
	return nil
}

// oneLine says whether a text has no character that breaks the line or turns it around.
func oneLine(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool {
		return unicode.IsControl(r) || r >= 0x2028 && r <= 0x202e || r >= 0x2066 && r <= 0x2069
	})
}

func isMIME(text string) bool {
	kind, sub, ok := strings.Cut(text, "/")
	token := func(s string) bool {
		return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
			return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("!#$&^_.+-", r)
		})
	}
	return ok && len(text) <= maxMIME && token(kind) && token(sub)
}

// checkContent checks a message's content and answers it as compact JSON.
func checkContent(raw jsontext.Value) (jsontext.Value, error) {
	compact, _, err := checked(raw)
	return compact, err
}

// checkEdit is checkContent for what a message is edited into.
func checkEdit(raw jsontext.Value) (jsontext.Value, error) {
	compact, t, err := checked(raw)
	if err == nil && !t.edit {
		return nil, paramErrorf("content.type", "content.type: text, markdown and custom messages are edited")
	}
	return compact, err
}

func checked(raw jsontext.Value) (jsontext.Value, contentType, error) {
	t, err := checkValue(raw, 0)
	var e *fieldError
	if errors.As(err, &e) {
		field := strings.TrimSuffix("content."+e.field, ".")
		return nil, t, paramErrorf(field, "%s: %s", field, e.message)
	}
	if err != nil {
		return nil, t, err
	}
	// An answer and an event are one line each: white space, line feeds among it, goes.
	compact := raw.Clone()
	if err := compact.Compact(); err != nil {
		return nil, t, paramErrorf("content", "content: not JSON")
	}
	if len(compact) > t.limit {
		return nil, t, wire.Errorf(wire.CodeTooLarge, "content: %d bytes are more than the %d that are taken", len(compact), t.limit)
	}
	return compact, t, nil
}

// checkValue checks a content by the row of its type.
func checkValue(raw jsontext.Value, depth int) (contentType, error) {
	if len(raw) == 0 || raw.Kind() != '{' {
		return contentType{}, fieldErrorf("", "an object such as {\"type\":\"text\",\"text\":\"hello\"}")
	}
	var named struct {
		Type string `json:"type"`
	}
	// The parameters were decoded strictly, so what is left to fail is a syntax of content's own.
	if err := json.Unmarshal(raw, &named); err != nil {
		return contentType{}, fieldErrorf("type", "%s", typeNames())
	}
	for _, t := range contentTypes() {
		if t.name != named.Type {
			continue
		}
		c, err := t.decode(raw)
		if err != nil {
			return contentType{}, fieldErrorf(fieldOf(err), "not of this type's form: %s has type, text, %s, and custom for free fields", t.name, t.fields)
		}
		if c.fallback() == nil {
			return contentType{}, fieldErrorf("text", "the text for clients that do not know the type")
		}
		return t, c.check(depth)
	}
	return contentType{}, fieldErrorf("type", "%s", typeNames())
}

// fieldOf names the field that a content could not be decoded for.
func fieldOf(err error) string {
	var semantic *json.SemanticError
	if !errors.As(err, &semantic) {
		return ""
	}
	field := strings.Join(slices.Collect(semantic.JSONPointer.Tokens()), ".")
	return strings.ToValidUTF8(field[:min(len(field), 64)], "")
}

func typeNames() string {
	types := contentTypes()
	names := make([]string, len(types))
	for i, t := range types {
		names[i] = t.name
	}
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}
