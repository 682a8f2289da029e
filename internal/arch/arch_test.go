package arch

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	module = "github.com/linnet-im/linnet/"
	root   = "../.."
)

// rule says what a package, and those below it, may import of the module, and which of
// the standard library it may not.
type rule struct {
	pkg    string
	may    []string // of this module; * stands for everything
	mayNot []string // of the rest
	only   bool     // nothing of other modules
	why    string
}

func rules() []rule {
	outside := []string{"net", "net/http", "database/sql", "os", "log/slog", "syscall"}
	return []rule{
		{"wire", []string{"wire"}, []string{"net", "os", "database/sql"}, false, "clients share it: it knows bytes, nothing else"},
		{"client", []string{"client", "wire"}, []string{"os/exec", "syscall"}, false, "it is for other programs: it knows the wire and nothing inside"},
		{"examples", []string{"client", "wire"}, []string{"net", "net/http", "database/sql"}, true, "they show what another module can do"},
		{"internal/chat", nil, outside, true, "the domain knows no socket, database or log; its ports are interfaces"},
		{"internal/store", []string{"internal/chat", "internal/store"}, []string{"net", "net/http"}, false, "a store serves the domain alone"},
		{"internal/router", []string{"internal/chat"}, []string{"net", "net/http", "database/sql"}, true, "delivery sees sinks, not sockets"},
		{"internal/presence", []string{"internal/chat", "wire"}, []string{"net", "net/http", "database/sql"}, true, "a board in memory; it knows watchers, not links"},
		{"internal/search", []string{"internal/chat", "internal/search"}, []string{"net", "net/http"}, false, "it follows the store through the domain's port, and reads through the domain"},
		{"internal/api", []string{"internal/chat", "internal/presence", "internal/search", "wire"}, []string{"net", "net/http"}, false, "a method is the same on every link"},
		{"internal/auth", []string{"internal/chat", "wire"}, []string{"net", "os"}, false, "tokens are bytes and a clock"},
		{"internal/jwks", []string{"internal/auth", "wire"}, []string{"database/sql"}, true, "it fetches keys; what they are good for auth knows"},
		{"internal/link", []string{"internal/link/sock", "wire", "wire/line"}, []string{"database/sql"}, true, "a link knows its socket and its frames, not what is said"},
		{"internal/listen", nil, []string{"net/http", "database/sql"}, false, "it tells kinds apart and knows none of them"},
		{"internal/session", []string{"internal/api", "internal/auth", "internal/chat", "internal/presence", "internal/router", "wire", "wire/line"}, []string{"net", "net/http", "database/sql"}, false, "above the link nobody knows which one it is"},
		{"internal/rest", []string{"internal/api", "internal/auth", "internal/chat", "internal/presence", "internal/session", "wire"}, []string{"database/sql"}, false, "HTTP is one more caller of the table"},
		{"internal/config", nil, []string{"net/http", "database/sql"}, false, "settings know nobody"},
		{"internal/metrics", nil, []string{"database/sql"}, false, "it is told numbers, and knows nobody"},
		{"internal/backup", []string{"internal/config", "internal/store/sqlite"}, []string{"net", "net/http"}, false, "it copies a folder, and knows no server"},
		{"internal/doctor", []string{"internal/config", "internal/store/sqlite"}, []string{"net", "net/http"}, false, "it reads a folder, and knows no server"},
		{"internal/terminal", []string{"client", "wire"}, []string{"net", "net/http", "database/sql"}, false, "a client like any other: it knows no server"},
		{"internal/app", []string{"*"}, nil, false, "it wires everything"},
		{"internal/bench", []string{"internal/auth", "internal/bench", "internal/config", "internal/chat", "wire"}, []string{"database/sql"}, false, "it measures from outside"},
		{"cmd", []string{"internal/app", "internal/auth", "internal/backup", "internal/bench", "internal/chat", "client", "internal/config", "internal/doctor", "internal/terminal", "wire"}, nil, false, "flags, then app"},
	}
}

// source is one file that is no test.
type source struct {
	file, pkg string
	imports   []string
	doc       bool
}

func sources(t *testing.T) []source {
	t.Helper()
	var list []source
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, name)
		rel = filepath.ToSlash(rel)
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && rel != "." || d.Name() == "testdata" || rel == "tools") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly|parser.ParseComments)
		if err != nil {
			return err
		}
		s := source{file: rel, pkg: path.Dir(rel), doc: f.Doc != nil}
		for _, i := range f.Imports {
			p, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			s.imports = append(s.imports, p)
		}
		list = append(list, s)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(list) < 50 {
		t.Fatalf("only %d files found", len(list))
	}
	return list
}

func under(pkg, parent string) bool { return pkg == parent || strings.HasPrefix(pkg, parent+"/") }

// breaks says whether an import breaks the rule.
func (r *rule) breaks(imported string) bool {
	if own, ok := strings.CutPrefix(imported, module); ok {
		if slices.Contains(r.may, "*") {
			return false
		}
		return !slices.ContainsFunc(r.may, func(m string) bool { return under(own, m) })
	}
	if strings.Contains(strings.Split(imported, "/")[0], ".") {
		return r.only
	}
	return slices.Contains(r.mayNot, imported)
}

func TestImports(t *testing.T) {
	for _, s := range sources(t) {
		if under(s.pkg, "internal/testkit") || under(s.pkg, "internal/arch") || under(s.pkg, "test") {
			continue // only tests import them
		}
		i := slices.IndexFunc(rules(), func(r rule) bool { return under(s.pkg, r.pkg) })
		if i < 0 {
			t.Errorf("%s: package %s has no rule here", s.file, s.pkg)
			continue
		}
		r := rules()[i]
		for _, imported := range s.imports {
			if r.breaks(imported) {
				t.Errorf("%s imports %s: %s", s.file, imported, r.why)
			}
		}
	}
}

func TestRulesBite(t *testing.T) {
	r := rules()[slices.IndexFunc(rules(), func(r rule) bool { return r.pkg == "internal/chat" })]
	for _, bad := range []string{"net", module + "wire", module + "internal/store/sqlite", "github.com/google/uuid"} {
		if !r.breaks(bad) {
			t.Errorf("the domain may import %s", bad)
		}
	}
	if r.breaks("strings") {
		t.Error("the domain may not import strings")
	}
}

func TestPackagesSayWhatTheyAre(t *testing.T) {
	docs := make(map[string]int)
	for _, s := range sources(t) {
		docs[s.pkg] += 0
		if s.doc {
			docs[s.pkg]++
		}
	}
	for pkg, n := range docs {
		if n != 1 {
			t.Errorf("package %s has %d package comments", pkg, n)
		}
	}
}

// Links between the documents, and from them into the tree, lead somewhere.
func TestDocumentLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && d.Name() != ".." || d.Name() == "node_modules") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, ".md") {
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(name), m[1])); err != nil {
				t.Errorf("%s links to %s, which is not there", name, m[1])
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
