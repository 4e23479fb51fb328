package brokle_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// integrations are the nested modules that users import.
func integrations(t *testing.T) (dirs []string) {
	t.Helper()
	for _, dir := range nestedModules(t) {
		if strings.HasPrefix(dir, "brokle") {
			dirs = append(dirs, dir)
		}
	}
	if len(dirs) < 4 {
		t.Fatalf("only %v: the list is read wrong", dirs)
	}
	return dirs
}

// goCommand runs the go command in dir and returns what it prints.
func goCommand(t *testing.T, dir string, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = dir
	var failed bytes.Buffer
	cmd.Stderr = &failed
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("in %s: go %s: %v\n%s", dir, strings.Join(args, " "), err, failed.Bytes())
	}
	return out
}

// A program outside this repository that asks for every integration, which replace directives find here, passes go vet and builds: alone
// each does in its own tests, with what all of them ask for together it does here.
func TestAStrangersProgram(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it builds what every integration integrates")
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	var mod, sums, imports strings.Builder
	fmt.Fprintf(&mod, "module example.com/stranger\n\ngo 1.26.0\n\nrequire %s v0.0.0\nreplace %s => %s\n", module, module, here)
	for _, dir := range integrations(t) {
		fmt.Fprintf(&mod, "require %s/%s v0.0.0\nreplace %s/%s => %s\n", module, dir, module, dir, filepath.Join(here, dir))
		sums.WriteString(read(t, dir+"/go.sum"))
		fmt.Fprintf(&imports, "\t_ %q\n", module+"/"+dir)
	}
	at := t.TempDir()
	for name, text := range map[string]string{
		"go.mod": mod.String(), "go.sum": sums.String(),
		"main.go": "package main\n\nimport (\n" + imports.String() + "\n\t" + `"` + module + `"` + "\n)\n\nfunc main() { brokle.SetDefault(nil) }\n",
	} {
		if err := os.WriteFile(filepath.Join(at, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	goCommand(t, at, "vet", "-mod=mod", "./...")
	goCommand(t, at, "build", "-mod=mod", "-o", os.DevNull, ".")
}
