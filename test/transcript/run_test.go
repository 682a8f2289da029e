package transcript

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/linnet-im/linnet/internal/testkit"
)

var update = flag.Bool("update", false, "write what the server answers into the transcripts")

func TestMain(m *testing.M) { os.Exit(testkit.Main(m)) }

func TestTranscripts(t *testing.T) {
	paths, err := filepath.Glob("../wire/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".txt")
		t.Run(name, func(t *testing.T) { runFile(t, path) })
	}
}

func runFile(t *testing.T, path string) {
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := Parse(string(text))
	if err != nil {
		t.Fatal(err)
	}
	links := f.Links
	if *update {
		links = links[:1] // the others are checked by a run without -update
	}
	for _, link := range links {
		t.Run(link, func(t *testing.T) {
			r := &run{
				t: t, file: f, path: path, link: link, server: testkit.Start(t, f.Serve...),
				peers: make(map[string]peer), names: make(Names), tokens: make(map[string]string), update: *update,
			}
			for _, s := range f.Steps {
				r.step(s)
			}
		})
	}
	if *update && !t.Failed() {
		if err := os.WriteFile(path, []byte(f.Text()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// run is one run of a transcript over one link.
type run struct {
	t      *testing.T
	file   *File
	path   string
	link   string
	server *testkit.Server
	peers  map[string]peer
	names  Names
	tokens map[string]string
	update bool
}

func (r *run) fail(s Step, err error) {
	r.t.Helper()
	r.t.Fatalf("%s:%d: %s%s %.60s: %.600v", r.path, s.Line+1, s.Peer, s.Verb, s.Text, err)
}

func (r *run) step(s Step) {
	r.t.Helper()
	var err error
	switch s.Verb {
	case Pause:
		pause(s.Time)
		clear(r.tokens)
	case Call, Raw:
		err = r.send(s)
	case Want, WantRaw:
		err = r.want(s)
	}
	if err != nil {
		r.fail(s, err)
	}
}

// peer gives the peer of a step, connected when it is used first.
func (r *run) peer(s Step) (peer, error) {
	if p := r.peers[s.Peer]; p != nil {
		return p, nil
	}
	p, err := dial(r.t, r.server, r.linkOf(s))
	if err != nil {
		return nil, err
	}
	if key, ok := r.file.Keys[s.Peer]; ok {
		back, ok := p.(*httpPeer)
		if !ok {
			return nil, errors.New("a key setting is for HTTP; on sockets session.open takes $key:SCOPES")
		}
		back.client.Token, back.client.User = r.server.Key(r.t, key.Scopes), key.User
	}
	r.peers[s.Peer] = p
	return p, nil
}

func (r *run) linkOf(s Step) string {
	if link := r.file.Peers[s.Peer]; link != "" {
		return link
	}
	return r.link
}

func isText(link string) bool { return link == "text" || link == "udp" }

func (r *run) send(s Step) error {
	p, err := r.peer(s)
	if err != nil || s.Text == End {
		return errors.Join(err, sendEnd(p, s))
	}
	text := s.Text
	switch {
	case isText(r.linkOf(s)), s.Verb == Raw && strings.HasPrefix(text, `"`):
		if text, err = strconv.Unquote(text); err != nil {
			return fmt.Errorf("what is sent here stands in quotes: %w", err)
		}
	default:
		if text, err = r.fill(text); err != nil {
			return err
		}
	}
	return p.send(s, text)
}

func sendEnd(p peer, s Step) error {
	if p == nil {
		return nil
	}
	return p.send(s, End)
}

// fill puts tokens and what names stand for into a frame.
func (r *run) fill(text string) (string, error) {
	var err error
	text = tokenForm.ReplaceAllStringFunc(text, func(s string) string {
		// The same name is the same token, up to a pause: two of different seconds would differ.
		if _, there := r.tokens[s]; !there {
			m := tokenForm.FindStringSubmatch(s)
			token, tokenErr := makeToken(r.t, r.server, m[1], m[2])
			err = errors.Join(err, tokenErr)
			r.tokens[s] = token
		}
		return r.tokens[s]
	})
	text = keyForm.ReplaceAllStringFunc(text, func(s string) string {
		return r.server.Key(r.t, keyForm.FindStringSubmatch(s)[1])
	})
	if err != nil {
		return "", err
	}
	return r.names.Fill(text)
}

func (r *run) want(s Step) error {
	p, err := r.peer(s)
	if err != nil {
		return err
	}
	var want any
	switch {
	case isText(r.linkOf(s)):
		want = s.Text
	case s.Text != End && s.Text != "":
		if want, err = decode([]byte(s.Text)); err != nil {
			return err
		}
	}
	got, skip, err := p.receive(s, want)
	if err == io.EOF && s.Text == End || skip {
		return nil
	}
	if err != nil {
		return err
	}
	if s.Text == End {
		return fmt.Errorf("got %s", encode(got))
	}
	if r.linkOf(s) == "http" {
		want = withoutNumber(want)
	}
	difference := r.names.Match(want, got)
	if difference == "" || isText(r.linkOf(s)) && begins(got, s.Text) {
		return nil
	}
	if r.update {
		r.file.Rewrite(s, r.updated(s, want, got))
		return nil
	}
	return errors.New(difference)
}

// begins says whether want ends with a star and a line begins with what is before it:
// the words of an error are for people, and may change.
func begins(got any, want string) bool {
	prefix, star := strings.CutSuffix(want, "*")
	line, ok := got.(string)
	return star && ok && strings.HasPrefix(line, prefix)
}

func (r *run) updated(s Step, want, got any) string {
	if isText(r.linkOf(s)) {
		return got.(string)
	}
	return encode(r.names.Update(want, got))
}

// withoutNumber takes JSON-RPC's error number out of an expected answer.
func withoutNumber(want any) any {
	o, ok := want.(object)
	if !ok {
		return want
	}
	e, ok := o.get("error")
	if !ok {
		return want
	}
	return object{{"error", e.(object).without("code")}}
}
