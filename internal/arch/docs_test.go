package arch

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// text reads a file of the repository.
func text(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// submatches answers the first group of every match, sorted, once each.
func submatches(re, in string) []string {
	var found []string
	for _, m := range regexp.MustCompile(re).FindAllStringSubmatch(in, -1) {
		found = append(found, m[1])
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// documents answers the names of all Markdown files but the ones made from the API table.
func documents(t *testing.T) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (strings.HasPrefix(d.Name(), ".") && d.Name() != ".." || d.Name() == "node_modules"):
			return filepath.SkipDir
		case !d.IsDir() && strings.HasSuffix(name, ".md"):
			rel, err := filepath.Rel(root, name)
			names = append(names, rel)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(names) < 10 {
		t.Fatalf("only %q found", names)
	}
	return names
}

// What a document tells a reader to type is there.
func TestDocumentsNameWhatThereIs(t *testing.T) {
	targets := submatches(`(?m)^([a-z-]+):`, text(t, "Makefile"))
	commands := append(submatches(`\{"([a-z-]+)", "`, text(t, "cmd/linnet/main.go")), "help")
	for _, name := range documents(t) {
		doc := text(t, name)
		for _, target := range submatches("(?m)(?:^    |`)make ([a-z-]+)", doc) {
			if !slices.Contains(targets, target) {
				t.Errorf("%s: make %s: the Makefile has only %q", name, target, targets)
			}
		}
		for _, command := range submatches("(?m)(?:^    |`|/cmd/)linnet ([a-z-]+)", doc) {
			if !slices.Contains(commands, command) {
				t.Errorf("%s: linnet %s: there are only %q", name, command, commands)
			}
		}
	}
}

// Every module that go.mod asks for itself has a line that says what for, and no other has.
func TestDependenciesHaveReasons(t *testing.T) {
	direct := submatches(`(?m)^\t(\S+) v\S+$`, text(t, "go.mod"))
	if len(direct) < 5 {
		t.Fatalf("go.mod asks for %q", direct)
	}
	reasons := submatches(`(?m)^\| ((?:[a-z0-9-]+\.)+[a-z]+/\S+) \|`, text(t, "docs/design/dependencies.md"))
	if !slices.Equal(direct, reasons) {
		t.Errorf("go.mod asks for\n%q\ndocs/design/dependencies.md gives reasons for\n%q", direct, reasons)
	}
}

// The first pages are there in both languages and link to each other.
func TestFirstPagesInBothLanguages(t *testing.T) {
	for _, pair := range [][2]string{{"README.md", "README.zh.md"}, {"README.zh.md", "README.md"}} {
		if !strings.Contains(text(t, pair[0]), "]("+pair[1]+")") {
			t.Errorf("%s does not link to %s", pair[0], pair[1])
		}
	}
	for _, name := range []string{"README.md", "start.md"} {
		if text(t, "docs/"+name) == "" || text(t, "docs/zh/"+name) == "" {
			t.Errorf("docs/%s or docs/zh/%s is empty", name, name)
		}
	}
}

// withoutIndent takes the indentation that all lines have off a piece of Go.
func withoutIndent(code string) string {
	least := -1
	for line := range strings.Lines(code) {
		if strings.TrimSpace(line) == "" {
			continue
		}
		if n := len(line) - len(strings.TrimLeft(line, "\t")); least < 0 || n < least {
			least = n
		}
	}
	var b strings.Builder
	for line := range strings.Lines(code) {
		b.WriteString(line[min(max(least, 0), len(line)-1):])
	}
	return b.String()
}

// contains says whether code has a piece, at any indentation.
func contains(code, piece string) bool {
	for range 6 {
		if strings.Contains("\n"+code, "\n"+piece) {
			return true
		}
		piece = "\t" + strings.ReplaceAll(strings.TrimSuffix(piece, "\n"), "\n", "\n\t") + "\n"
		piece = strings.ReplaceAll(piece, "\n\t\n", "\n\n")
	}
	return false
}

// Every piece of Go in the guides of the client stands, word for word, in a program that
// is tested, and the guides name every such program. Mutants: a word changed in a guide; in
// an example.
func TestGuidesAreTheExamples(t *testing.T) {
	programs, err := filepath.Glob(filepath.Join(root, "examples", "*", "main.go"))
	if err != nil || len(programs) < 5 {
		t.Fatalf("%q %v", programs, err)
	}
	code := make(map[string]string)
	for _, p := range programs {
		name, err := filepath.Rel(root, p)
		if err != nil {
			t.Fatal(err)
		}
		code[filepath.ToSlash(name)] = text(t, name)
	}
	for _, guide := range []string{"docs/clients/go.md", "docs/zh/clients/go.md"} {
		doc := text(t, guide)
		blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(doc, -1)
		if len(blocks) < 5 {
			t.Fatalf("%s has %d pieces of Go", guide, len(blocks))
		}
		for _, b := range blocks {
			found := false
			for _, c := range code {
				found = found || contains(c, withoutIndent(b[1]))
			}
			if !found {
				t.Errorf("%s: this is in no example:\n%s", guide, b[1])
			}
		}
		if blocks[0][1] != code["examples/hello/main.go"] {
			t.Errorf("%s does not begin with all of examples/hello", guide)
		}
		for name := range code {
			if !strings.Contains(doc, name) && name != "examples/hello/main.go" {
				t.Errorf("%s does not name %s", guide, name)
			}
		}
	}
}

// Every document that the English list names is on the Chinese one: in Chinese, or said to
// be in English only. Mutants: a document more on the English list; a Chinese one that is
// listed as English.
func TestChineseListOfDocuments(t *testing.T) {
	links := regexp.MustCompile(`\]\(([^)#]+)(?:#[^)]*)?\)`)
	listed := make(map[string]string) // by what the English list has
	chinese, english, found := strings.Cut(text(t, "docs/zh/README.md"), "以下文档只有英文")
	if !found {
		t.Fatal("docs/zh/README.md does not say what is in English only")
	}
	for _, m := range links.FindAllStringSubmatch(chinese, -1) {
		listed[m[1]] = "zh"
	}
	for _, m := range links.FindAllStringSubmatch(english, -1) {
		name, up := strings.CutPrefix(m[1], "../")
		if !up || listed[name] != "" {
			t.Errorf("docs/zh/README.md has %s among what is in English only", m[1])
		}
		listed[name] = "en"
	}
	for _, m := range links.FindAllStringSubmatch(text(t, "docs/README.md"), -1) {
		name := m[1]
		_, err := os.Stat(filepath.Join(root, "docs", "zh", name))
		switch {
		case listed[name] == "":
			t.Errorf("docs/README.md lists %s: list it in docs/zh/README.md too, at least as in English only", name)
		case (err == nil) != (listed[name] == "zh"):
			t.Errorf("docs/zh/%s is there: %t; docs/zh/README.md lists it as %s", name, err == nil, listed[name])
		}
	}
}

// What is typed is the same in both languages: settings, and what stands between fences.
// Mutants: a setting left out of one; a word changed in a proxy's configuration.
func TestChineseGuidesSayTheSame(t *testing.T) {
	typed := regexp.MustCompile("(--[a-z][a-z-]+|LINNET_[A-Z_]+|linnet_[a-z_]+|(?s:```.*?```))")
	for _, name := range []string{"operate.md", "chat.md", "clients/go.md"} {
		en, zh := submatches(typed.String(), text(t, "docs/"+name)), submatches(typed.String(), text(t, "docs/zh/"+name))
		if len(en) < 3 {
			t.Fatalf("docs/%s has only %q", name, en)
		}
		for _, one := range en {
			if !slices.Contains(zh, one) {
				t.Errorf("docs/zh/%s lacks %s", name, one)
			}
		}
		for _, one := range zh {
			if !slices.Contains(en, one) {
				t.Errorf("docs/%s lacks %s", name, one)
			}
		}
	}
}
