package arch

import (
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// constants finds the numbers that packages of this module name, without compiling them:
// also those that are not exported.
type constants struct {
	t      *testing.T
	values map[string]constant.Value     // by "internal/api.MaxPage"
	specs  map[string]map[string]constOf // package, name
}

// constOf is how a constant is declared.
type constOf struct {
	value   ast.Expr
	imports map[string]string // name in the file, path
}

func newConstants(t *testing.T) *constants {
	return &constants{t, make(map[string]constant.Value), make(map[string]map[string]constOf)}
}

// of answers the names of a package's constants at its top whose values are numbers. Those
// that are counted by iota, or have a type of their own, are words, and are left out.
func (c *constants) of(pkg string) (names []string) {
	for name := range c.declared(pkg) {
		if v := c.value(pkg, name); v != nil && v.Kind() == constant.Int {
			names = append(names, name)
		}
	}
	return names
}

func (c *constants) declared(pkg string) map[string]constOf {
	if found, ok := c.specs[pkg]; ok {
		return found
	}
	found := make(map[string]constOf)
	c.specs[pkg] = found
	entries, err := os.ReadDir(filepath.Join(root, pkg))
	if err != nil {
		c.t.Fatal(err)
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, pkg, e.Name()), nil, 0)
		if err != nil {
			c.t.Fatal(err)
		}
		imports := make(map[string]string)
		for _, i := range f.Imports {
			p := strings.Trim(i.Path.Value, `"`)
			imports[path.Base(p)] = p
		}
		for _, d := range f.Decls {
			decl, ok := d.(*ast.GenDecl)
			if !ok || decl.Tok != token.CONST {
				continue
			}
			for _, s := range decl.Specs {
				spec := s.(*ast.ValueSpec)
				if spec.Type != nil || len(spec.Values) != len(spec.Names) {
					continue
				}
				for i, name := range spec.Names {
					found[name.Name] = constOf{spec.Values[i], imports}
				}
			}
		}
	}
	return found
}

// value answers a constant's value, nil for what is no number that can be found out.
func (c *constants) value(pkg, name string) constant.Value {
	key := pkg + "." + name
	if v, ok := c.values[key]; ok {
		return v
	}
	c.values[key] = nil
	if d, ok := c.declared(pkg)[name]; ok {
		c.values[key] = c.eval(pkg, d.imports, d.value)
	}
	return c.values[key]
}

func (c *constants) eval(pkg string, imports map[string]string, e ast.Expr) constant.Value {
	switch e := e.(type) {
	case *ast.BasicLit:
		if e.Kind == token.INT {
			return constant.MakeFromLiteral(e.Value, e.Kind, 0)
		}
	case *ast.ParenExpr:
		return c.eval(pkg, imports, e.X)
	case *ast.Ident:
		return c.value(pkg, e.Name)
	case *ast.SelectorExpr:
		from, ok := e.X.(*ast.Ident)
		if !ok {
			return nil
		}
		if imports[from.Name] == "time" {
			return unit(e.Sel.Name)
		}
		if own, ok := strings.CutPrefix(imports[from.Name], module); ok {
			return c.value(own, e.Sel.Name)
		}
	case *ast.BinaryExpr:
		x, y := c.eval(pkg, imports, e.X), c.eval(pkg, imports, e.Y)
		if x == nil || y == nil {
			return nil
		}
		if e.Op == token.SHL {
			n, _ := constant.Uint64Val(y)
			return constant.Shift(x, e.Op, uint(n))
		}
		return constant.BinaryOp(x, e.Op, y)
	}
	return nil
}

func unit(name string) constant.Value {
	for d, is := range map[time.Duration]string{
		time.Millisecond: "Millisecond", time.Second: "Second", time.Minute: "Minute", time.Hour: "Hour",
	} {
		if is == name {
			return constant.MakeInt64(int64(d))
		}
	}
	return nil
}
