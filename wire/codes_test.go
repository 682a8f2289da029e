package wire

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"testing"
)

// Every code that errors.go names has one row, and no row is without one.
func TestCodesAreWhole(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "errors.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	named := map[Code]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if typ, ok := spec.Type.(*ast.Ident); !ok || typ.Name != "Code" {
			return true
		}
		text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		named[Code(text)] = true
		return true
	})
	if len(named) == 0 {
		t.Fatal("found no codes in errors.go")
	}
	seen := map[Code]bool{}
	for _, info := range Codes() {
		if seen[info.Code] {
			t.Errorf("%s has two rows", info.Code)
		}
		seen[info.Code] = true
		if !named[info.Code] {
			t.Errorf("%s is not in errors.go", info.Code)
		}
		if info.Status < 400 || info.Status > 599 || info.RPC >= 0 || info.Doc == "" {
			t.Errorf("row %+v", info)
		}
	}
	for code := range named {
		if !seen[code] {
			t.Errorf("%s has no row", code)
		}
	}
}

func TestCodesOfRPC(t *testing.T) {
	for n, want := range map[int]Code{
		-32700: CodeParse, -32600: CodeInvalid, -32601: CodeMethod, -32602: CodeParam, -32000: CodeInternal, 5: CodeInternal,
	} {
		if got := codeOfRPC(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

func TestCodesAreACopy(t *testing.T) {
	Codes()[0].Status = 1
	if Codes()[0].Status == 1 {
		t.Error("the table was written to")
	}
}
