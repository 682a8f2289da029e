package transcript

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// File is a transcript.
type File struct {
	Links []string          // over which it runs, once each
	Peers map[string]string // peers whose link is another one
	Keys  map[string]Key    // peers that call by a server key
	Serve []string          // more arguments of the server
	Steps []Step

	lines []string
}

// Key is a server key with its scopes, and the user that it acts for, empty for none.
type Key struct{ Scopes, User string }

// Verb is what a step does.
type Verb string

// The verbs.
const (
	Call    Verb = ">"  // send a call or a text
	Raw     Verb = ">>" // send a frame as it stands
	Want    Verb = "<"  // what comes next
	WantRaw Verb = "<<" // what comes next, with jsonrpc and id
	Pause   Verb = "pause"
)

// Step is a line of a transcript.
type Step struct {
	Line int // from 0
	Peer string
	Verb Verb
	Text string
	Time time.Duration // Pause
}

// End as a step's text closes, or waits for the other side to close.
const End = "end"

var stepForm = regexp.MustCompile(`^([\pL\pN_-]+)(>>|<<|>|<)(?: (.*))?$`)

// Parse reads a transcript.
func Parse(text string) (*File, error) {
	f := &File{Peers: make(map[string]string), Keys: make(map[string]Key), lines: strings.Split(text, "\n")}
	for i, line := range f.lines {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if err := f.parse(i, line); err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
	}
	if len(f.Links) == 0 || len(f.Steps) == 0 {
		return nil, fmt.Errorf("a transcript has a line %q and steps", "links: …")
	}
	return f, nil
}

func (f *File) parse(i int, line string) error {
	if m := stepForm.FindStringSubmatch(line); m != nil {
		f.Steps = append(f.Steps, Step{Line: i, Peer: m[1], Verb: Verb(m[2]), Text: m[3]})
		return nil
	}
	if d, ok := strings.CutPrefix(line, "pause "); ok {
		wait, err := time.ParseDuration(d)
		f.Steps = append(f.Steps, Step{Line: i, Verb: Pause, Time: wait})
		return err
	}
	key, value, ok := strings.Cut(line, ": ")
	switch {
	case !ok:
		return fmt.Errorf("%q is neither a step nor a setting", line)
	case key == "links":
		f.Links = strings.Fields(value)
	case key == "serve":
		f.Serve = strings.Fields(value)
	case strings.HasPrefix(key, "key "):
		scopes, user, _ := strings.Cut(value, " for ")
		f.Keys[strings.TrimPrefix(key, "key ")] = Key{scopes, user}
	case strings.HasPrefix(key, "peer "):
		f.Peers[strings.TrimPrefix(key, "peer ")] = value
	default:
		return fmt.Errorf("setting %q: there are links, serve, peer NAME and key NAME", key)
	}
	for _, link := range append(slices.Clone(f.Links), f.peerLinks()...) {
		if !slices.Contains([]string{"lines", "websocket", "http", "text", "udp"}, link) {
			return fmt.Errorf("link %q: there are lines, websocket, http, text and udp", link)
		}
	}
	return nil
}

func (f *File) peerLinks() []string {
	var list []string
	for _, link := range f.Peers {
		list = append(list, link)
	}
	return list
}

// Rewrite sets what a step waits for to what came.
func (f *File) Rewrite(s Step, text string) {
	f.lines[s.Line] = strings.TrimRight(s.Peer+string(s.Verb)+" "+text, " ")
}

// Text gives the file's text.
func (f *File) Text() string { return strings.Join(f.lines, "\n") }
