package transcript

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// object is a JSON object whose members keep their order.
type object []member

type member struct {
	name  string
	value any
}

func (o object) get(name string) (any, bool) {
	for _, m := range o {
		if m.name == name {
			return m.value, true
		}
	}
	return nil, false
}

func (o object) without(names ...string) object {
	return slices.DeleteFunc(slices.Clone(o), func(m member) bool { return slices.Contains(names, m.name) })
}

// decode reads one JSON value: object, []any, string, json.Number, bool or nil.
func decode(text []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	v, err := decodeNext(d)
	if err != nil {
		return nil, fmt.Errorf("%q is not JSON: %w", text, err)
	}
	if d.More() {
		return nil, fmt.Errorf("%q is more than one JSON value", text)
	}
	return v, nil
}

func decodeNext(d *json.Decoder) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		o := object{}
		for d.More() {
			name, err := d.Token()
			if err != nil {
				return nil, err
			}
			value, err := decodeNext(d)
			if err != nil {
				return nil, err
			}
			o = append(o, member{name.(string), value})
		}
		_, err := d.Token()
		return o, err
	case json.Delim('['):
		list := []any{}
		for d.More() {
			value, err := decodeNext(d)
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
		_, err := d.Token()
		return list, err
	case json.Delim('}'), json.Delim(']'):
		return nil, errors.New("unbalanced")
	}
	return token, nil
}

// encode writes a value in one line.
func encode(v any) string {
	var b strings.Builder
	write(&b, v)
	return b.String()
}

func write(b *strings.Builder, v any) {
	switch v := v.(type) {
	case object:
		b.WriteByte('{')
		for i, m := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			write(b, m.name)
			b.WriteByte(':')
			write(b, m.value)
		}
		b.WriteByte('}')
	case []any:
		b.WriteByte('[')
		for i, e := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			write(b, e)
		}
		b.WriteByte(']')
	default:
		var buf bytes.Buffer
		e := json.NewEncoder(&buf)
		e.SetEscapeHTML(false)
		if err := e.Encode(v); err != nil {
			panic(err) // scalars always encode
		}
		b.Write(bytes.TrimRight(buf.Bytes(), "\n"))
	}
}

// Names holds what the names of a run stand for.
type Names map[string]any

var nameForm = regexp.MustCompile(`^\$[a-z][a-z0-9_]*$`)

// Match says in which place got differs from want; "" if it does not. In want, "*" is
// any value, and "$name" any value the first time and the same one from then on.
func (n Names) Match(want, got any) string { return n.match("", want, got) }

func (n Names) match(path string, want, got any) string {
	if s, ok := want.(string); ok {
		if s == "*" {
			return ""
		}
		if nameForm.MatchString(s) {
			if _, bound := n[s]; !bound {
				n[s] = got
			}
			want = n[s]
		}
	}
	switch want := want.(type) {
	case object:
		return n.matchObject(path, want, got)
	case []any:
		list, ok := got.([]any)
		if !ok || len(list) != len(want) {
			return differs(path, want, got)
		}
		for i := range want {
			if d := n.match(fmt.Sprintf("%s[%d]", path, i), want[i], list[i]); d != "" {
				return d
			}
		}
		return ""
	}
	if encode(want) != encode(got) {
		return differs(path, want, got)
	}
	return ""
}

func (n Names) matchObject(path string, want object, got any) string {
	o, ok := got.(object)
	if !ok {
		return differs(path, want, got)
	}
	for _, m := range want {
		v, ok := o.get(m.name)
		if !ok {
			return fmt.Sprintf("%s.%s is missing in %s", path, m.name, encode(got))
		}
		if d := n.match(path+"."+m.name, m.value, v); d != "" {
			return d
		}
	}
	for _, m := range o {
		if _, ok := want.get(m.name); !ok {
			return fmt.Sprintf("%s.%s is not expected: %s", path, m.name, encode(m.value))
		}
	}
	return ""
}

func differs(path string, want, got any) string {
	return fmt.Sprintf("%s is %s, not %s", path, encode(got), encode(want))
}

// always are members whose values are another one in each run, or are for people.
var always = []string{"time", "epoch", "session", "cursor", "page", "message", "limits", "features"}

// Update gives got in the form that a transcript has it: where want had a placeholder
// it stays, and what is another one in each run becomes one.
func (n Names) Update(want, got any) any { return n.update("", want, got) }

func (n Names) update(name string, want, got any) any {
	if s, ok := want.(string); ok && (s == "*" || nameForm.MatchString(s)) {
		return s
	}
	switch got := got.(type) {
	case object:
		if want == nil && slices.Contains(always, name) {
			return "*"
		}
		old, _ := want.(object)
		out := object{}
		for _, m := range got {
			before, _ := old.get(m.name)
			out = append(out, member{m.name, n.update(m.name, before, m.value)})
		}
		return out
	case []any:
		if want == nil && slices.Contains(always, name) {
			return "*"
		}
		old, _ := want.([]any)
		out := []any{}
		for i, v := range got {
			var before any
			if i < len(old) {
				before = old[i]
			}
			out = append(out, n.update("", before, v))
		}
		return out
	case string:
		if slices.Contains(always, name) {
			return "*"
		}
		for _, known := range slices.Sorted(maps.Keys(n)) {
			if n[known] == got {
				return known
			}
		}
	}
	return got
}

var nameInText = regexp.MustCompile(`"\$[a-z][a-z0-9_]*"`)

// Fill puts what the names stand for into a frame that is to be sent.
func (n Names) Fill(text string) (string, error) {
	var unknown error
	out := nameInText.ReplaceAllStringFunc(text, func(s string) string {
		v, ok := n[strings.Trim(s, `"`)]
		if !ok {
			unknown = fmt.Errorf("%s stands for nothing yet", s)
			return s
		}
		return encode(v)
	})
	return out, unknown
}

// jsonText gives a value of encoding/json's the form that decode gives.
func jsonText(v any) (any, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return decode(b)
}
