package brokle_test

import (
	"bytes"
	"flag"
	"fmt"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/api*.txt")

// testdata/api.txt lists what users can say with this module, one name a line, and testdata/api-NAME.txt the same of each integration: a change of
// the public API shows in it, and is meant (-update) or found here.
func TestPublicAPI(t *testing.T) {
	t.Parallel()
	t.Run("root", func(t *testing.T) {
		t.Parallel()
		requireAPI(t, "testdata/api.txt", ".", module, module+"/brokletest", module+"/brokleeval")
	})
	for _, dir := range integrations(t) {
		t.Run(dir, func(t *testing.T) {
			t.Parallel()
			requireAPI(t, "testdata/api-"+dir+".txt", dir, module+"/"+dir)
		})
	}
}

// requireAPI fails the test unless a golden file has what the packages of the module in dir let users say.
func requireAPI(t *testing.T, golden, dir string, packages ...string) {
	t.Helper()
	imp := importer.ForCompiler(token.NewFileSet(), "gc", exports(t, dir, packages...))
	var lines []string
	for _, path := range packages {
		pkg, err := imp.Import(path)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, surface(pkg)...)
	}
	got := strings.Join(lines, "\n") + "\n"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(want)) {
		if !strings.Contains(got, line) {
			t.Errorf("gone:  %s", line)
		}
	}
	for line := range strings.Lines(got) {
		if !bytes.Contains(want, []byte(line)) {
			t.Errorf("added: %s", line)
		}
	}
	if t.Failed() {
		t.Log("if that is meant: go test . -run TestPublicAPI -update, and a line in CHANGELOG.md")
	}
}

// exports finds the compiled form of packages of the module in dir, and of all they import.
func exports(t *testing.T, dir string, packages ...string) func(path string) (io.ReadCloser, error) {
	t.Helper()
	args := append([]string{"list", "-export", "-deps", "-f", "{{.ImportPath}}\t{{.Export}}"}, packages...)
	out := goCommand(t, dir, args...)
	files := map[string]string{}
	for line := range strings.Lines(string(out)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), "\t")
		files[path] = file
	}
	return func(path string) (io.ReadCloser, error) { return os.Open(files[path]) }
}

// surface is a line for each exported name, field and method. A type that is an alias of
// one of a room inside is listed as if it stood here: for a user it does.
func surface(pkg *types.Package) (lines []string) {
	text := func(typ types.Type) string {
		return types.TypeString(typ, func(p *types.Package) string {
			if p == pkg || strings.HasPrefix(p.Path(), module+"/internal/") {
				return ""
			}
			return p.Name()
		})
	}
	add := func(format string, args ...any) {
		lines = append(lines, strings.TrimSpace(pkg.Name()+", "+fmt.Sprintf(format, args...)))
	}
	for _, name := range pkg.Scope().Names() {
		if !token.IsExported(name) {
			continue
		}
		switch obj := pkg.Scope().Lookup(name).(type) {
		case *types.Const:
			add("const %s %s = %s", name, text(obj.Type()), obj.Val().ExactString())
		case *types.Var:
			add("var %s %s", name, text(obj.Type()))
		case *types.Func:
			add("func %s%s", name, strings.TrimPrefix(text(obj.Type()), "func"))
		case *types.TypeName:
			typ := types.Unalias(obj.Type())
			if named, ok := typ.(*types.Named); ok {
				if typ = named.Origin(); named.Obj().Name() != name {
					add("type %s is another name of %s", name, text(typ))
					continue
				}
			}
			switch under := typ.Underlying().(type) {
			case *types.Struct:
				add("type %s struct", text(typ))
				for i := range under.NumFields() {
					if f := under.Field(i); f.Exported() {
						add("type %s struct, %s %s %s", text(typ), f.Name(), text(f.Type()), under.Tag(i))
					}
				}
			default:
				add("type %s %s", text(typ), text(under))
			}
			methods := types.NewMethodSet(types.NewPointer(typ))
			for i := range methods.Len() {
				if m := methods.At(i).Obj(); m.Exported() && !types.IsInterface(typ) {
					add("method (%s) %s%s", text(m.Type().(*types.Signature).Recv().Type()), m.Name(), strings.TrimPrefix(text(m.Type()), "func"))
				}
			}
		}
	}
	slices.Sort(lines)
	return lines
}
