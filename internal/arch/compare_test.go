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

var (
	methodLink     = regexp.MustCompile(`\[([^]]*)\]\((?:\.\./)?api/README\.md#([^)]*)\)`)
	transcriptLink = regexp.MustCompile(`\[([^]]*)\]\((?:\.\./)+test/wire/([^)]*\.txt)\)`)
	dottedName     = regexp.MustCompile("`([a-z_]+\\.[a-z_]+)`")
	testName       = regexp.MustCompile("`(?:([a-z0-9_]+)\\.)?((?:Test|Fuzz)\\w+)`")
	sourceMark     = regexp.MustCompile(`\[([A-Z]+-?[0-9]+)\]`)
)

// methodNames are those of the API table, as the reference that is made from it lists them.
func methodNames(t *testing.T) map[string]bool {
	t.Helper()
	names := make(map[string]bool)
	for _, name := range submatches("(?m)^\\| \\[`([a-z_.]+)`\\]\\(#", text(t, "docs/api/README.md")) {
		names[name] = true
	}
	if len(names) < 100 {
		t.Fatalf("only %d methods", len(names))
	}
	return names
}

// testNames are the tests of the repository, as "folder.TestName".
func testNames(t *testing.T) map[string]bool {
	t.Helper()
	declared := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	names := make(map[string]bool)
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, "_test.go") {
			return err
		}
		b, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		dir, err := filepath.Abs(filepath.Dir(name))
		for _, m := range declared.FindAllSubmatch(b, -1) {
			names[filepath.Base(dir)+"."+string(m[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// cells answers the cells of a row of a table, and nothing for other lines.
func cells(line string) []string {
	line = strings.TrimSpace(line)
	if !strings.HasPrefix(line, "|") || !strings.HasSuffix(line, "|") || strings.HasPrefix(line, "| ---") {
		return nil
	}
	row := strings.Split(line[1:len(line)-1], "|")
	for i := range row {
		row[i] = strings.TrimSpace(row[i])
	}
	return row
}

// What the comparison says of Linnet is there: methods are in the API table and linked to
// their place in the reference, tests and transcripts exist, and where it says yes or partly
// it names one of each. What it says of others has a source on the page. Mutants: a misspelt
// method, linked and not; a link to another one's place; a test that is not there, or is
// another package's; a transcript that is not there; a Y without a method, without a test; a
// mark without its source; a row with a cell too few.
func TestComparisonIsTrue(t *testing.T) {
	methods, tests := methodNames(t), testNames(t)
	for _, page := range []string{"docs/compare.md", "docs/zh/compare.md"} {
		doc := text(t, page)
		for _, m := range dottedName.FindAllStringSubmatch(doc, -1) {
			if name := m[1]; !methods[name] && !strings.HasSuffix(name, ".txt") {
				t.Errorf("%s: there is no method %s", page, name)
			}
		}
		for _, m := range methodLink.FindAllStringSubmatch(doc, -1) {
			name := strings.Trim(m[1], "`")
			if !methods[name] || m[2] != strings.ReplaceAll(name, ".", "") {
				t.Errorf("%s: %s is no link to a method's place in the reference", page, m[0])
			}
		}
		for _, m := range testName.FindAllStringSubmatch(doc, -1) {
			if !tests[m[1]+"."+m[2]] {
				t.Errorf("%s: there is no test %s in a folder %q", page, m[2], m[1])
			}
		}
		for _, m := range transcriptLink.FindAllStringSubmatch(doc, -1) {
			if _, err := os.Stat(filepath.Join(root, "test", "wire", m[2])); err != nil || m[1] != "`"+m[2]+"`" {
				t.Errorf("%s: %s: %v", page, m[0], err)
			}
		}
	}

	tables, sources, found := strings.Cut(text(t, "docs/compare.md"), "\n## Sources\n")
	if !found {
		t.Fatal("docs/compare.md names no sources")
	}
	for _, m := range sourceMark.FindAllStringSubmatch(tables, -1) {
		if !regexp.MustCompile(`\b` + m[1] + `\b`).MatchString(sources) {
			t.Errorf("docs/compare.md has no source for %s", m[0])
		}
	}
	rows := 0
	_, tables, _ = strings.Cut(tables, "\n## Features\n")
	for line := range strings.Lines(tables) {
		row := cells(line)
		if row == nil || row[0] == "Feature" {
			continue
		}
		rows++
		if len(row) != 8 {
			t.Errorf("docs/compare.md: %d cells in %q", len(row), line)
			continue
		}
		verdict, _, _ := strings.Cut(row[1], " ")
		switch {
		case verdict == "N":
		case verdict != "Y" && verdict != "P":
			t.Errorf("docs/compare.md: %s: Linnet's column begins with Y, P or N, not %q", row[0], verdict)
		case !methodLink.MatchString(row[1]):
			t.Errorf("docs/compare.md: %s: names no method", row[0])
		case !testName.MatchString(row[1]) && !transcriptLink.MatchString(row[1]):
			t.Errorf("docs/compare.md: %s: names no test", row[0])
		}
	}
	if rows < 50 {
		t.Errorf("docs/compare.md has only %d features", rows)
	}
}

// Both languages lead from the same words to the same methods. Mutant: a row left out of one.
func TestComparisonLeadsToTheSameMethods(t *testing.T) {
	led := make(map[string][]string)
	for _, page := range []string{"docs/compare.md", "docs/zh/compare.md"} {
		for line := range strings.Lines(text(t, page)) {
			row := cells(line)
			if len(row) != 5 || row[3] == "Linnet" {
				continue
			}
			var names []string
			for _, m := range methodLink.FindAllStringSubmatch(row[4], -1) {
				names = append(names, m[1])
			}
			led[page] = append(led[page], strings.Join(names, " "))
		}
	}
	en, zh := led["docs/compare.md"], led["docs/zh/compare.md"]
	if len(en) < 25 || !slices.Equal(en, zh) {
		t.Errorf("docs/compare.md leads to\n%q\ndocs/zh/compare.md to\n%q", en, zh)
	}
}
