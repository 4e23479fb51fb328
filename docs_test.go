package brokle_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/brokle-ai/brokle-go/brokletest"
)

// docs/reliability.md names for each of the properties 1 to 46 tests that are there.
func TestPropertiesHaveTests(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("docs/reliability.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "## Properties\n")
	section, _, _ = strings.Cut(section, "\n## ")
	quoted := regexp.MustCompile("`([^`]+)`")
	rows := 0
	for line := range strings.Lines(section) {
		cells := strings.Split(line, "|")
		if len(cells) != 6 || !strings.Contains(cells[3], "`") {
			continue
		}
		rows++
		tests, rooms := quoted.FindAllStringSubmatch(cells[3], -1), quoted.FindAllStringSubmatch(cells[4], -1)
		if len(tests) != len(rooms) {
			t.Errorf("property %s: %d tests in %d places", cells[1], len(tests), len(rooms))
			continue
		}
		for i := range tests {
			if !declared(t, tests[i][1], rooms[i][1]) {
				t.Errorf("property%s: there is no %s in %s", cells[1], tests[i][1], rooms[i][1])
			}
		}
	}
	if want := 46; rows != want {
		t.Errorf("%d properties have a row, want %d", rows, want)
	}
}

func declared(t *testing.T, test, room string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(filepath.FromSlash(room), "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "\nfunc "+test+"(") {
			return true
		}
	}
	return false
}

// prose is every page of documentation in the repository.
func prose(t *testing.T) []string {
	t.Helper()
	var pages []string
	for _, pattern := range []string{"*.md", "docs/*.md", "examples/*/*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, found...)
	}
	return pages
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.FromSlash(path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Each relative link of the documentation leads to a file, and its anchor to a heading there.
func TestLinks(t *testing.T) {
	t.Parallel()
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	links := 0
	for _, page := range prose(t) {
		for _, m := range link.FindAllStringSubmatch(withoutCode(read(t, page)), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			links++
			target, anchor, _ := strings.Cut(m[1], "#")
			file := page
			if target != "" {
				file = path.Join(path.Dir(filepath.ToSlash(page)), target)
			}
			if _, err := os.Stat(filepath.FromSlash(file)); err != nil {
				t.Errorf("%s: the link %s leads nowhere: %v", page, m[1], err)
			} else if anchor != "" && !slices.Contains(anchors(read(t, file)), anchor) {
				t.Errorf("%s: the link %s leads to no heading of %s", page, m[1], file)
			}
		}
	}
	if links < 50 {
		t.Errorf("only %d links were found: the pattern is wrong", links)
	}
}

// Pages that code, tools and other pages name in words are there, too.
func TestNamedPages(t *testing.T) {
	t.Parallel()
	named := regexp.MustCompile(`\bdocs/[a-z-]+\.md\b`)
	err := filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); p != "." && (name == ".git" || name == "node_modules" || name == "testdata" || name == "bin") {
				return fs.SkipDir
			}
			return nil
		}
		if !slices.Contains([]string{".go", ".md", ".yaml", ".sh", ".service", ".html", ".ts", ".tsx", ""}, filepath.Ext(p)) {
			return nil
		}
		for _, page := range named.FindAllString(read(t, p), -1) {
			if _, err := os.Stat(page); err != nil {
				t.Errorf("%s names %s, which is not there", p, page)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// withoutCode leaves out what stands between fences: it has no links.
func withoutCode(text string) string {
	parts := strings.Split("\n"+text, "\n```")
	var kept strings.Builder
	for i := 0; i < len(parts); i += 2 {
		kept.WriteString(parts[i])
	}
	return kept.String()
}

// anchors are the names that GitHub gives to the headings of a page.
func anchors(text string) []string {
	var names []string
	for line := range strings.Lines(withoutCode(text)) {
		title := strings.TrimLeft(line, "#")
		if title == line || !strings.HasPrefix(title, " ") {
			continue
		}
		name := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
				return unicode.ToLower(r)
			}
			return -1
		}, strings.TrimSpace(title))
		names = append(names, name)
	}
	return names
}

// The program in README.md is the one in examples/first, and it runs.
func TestFirstProgram(t *testing.T) {
	t.Parallel()
	program := read(t, "examples/first/main.go")
	if !strings.Contains(read(t, "README.md"), "```go\n"+program+"```\n") {
		t.Error("README.md does not hold examples/first/main.go as it is")
	}
	srv := brokletest.NewServer(t)
	cmd := exec.CommandContext(t.Context(), "go", "run", "./examples/first")
	cmd.Env = append(os.Environ(), "BROKLE_HOST="+srv.URL, "BROKLE_API_KEY="+srv.Config().APIKey)
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "look: brokle trace ") {
		t.Fatalf("%v: %s", err, out)
	}
	srv.RequireStored(t, 5)
}

// The two pages that everybody reads stay short.
func TestLengths(t *testing.T) {
	t.Parallel()
	for page, most := range map[string]int{"README.md": 100, "ARCHITECTURE.md": 120} {
		if lines := strings.Count(read(t, page), "\n"); lines > most {
			t.Errorf("%s has %d lines, more than %d", page, lines, most)
		}
	}
}

// Files that ARCHITECTURE.md and CONTRIBUTING.md name are there, and what stands beside a file
// in the same cell of a table is declared in it.
func TestPlaces(t *testing.T) {
	t.Parallel()
	quoted := regexp.MustCompile("`([^`]+)`")
	place := regexp.MustCompile(`^((internal|web|cmd|brokletest|examples|docs|deploy|bench|findings|\.ci)(/[\w./-]*)?|[\w-]+\.(go|md))$`)
	for _, page := range []string{"ARCHITECTURE.md", "CONTRIBUTING.md"} {
		for _, cell := range strings.FieldsFunc(withoutCode(read(t, page)), func(r rune) bool { return r == '|' || r == '\n' }) {
			onlyNames := strings.Trim(quoted.ReplaceAllString(cell, ""), " ,;:") == ""
			file := ""
			for _, m := range quoted.FindAllStringSubmatch(cell, -1) {
				if place.MatchString(m[1]) && !strings.Contains(m[1], "NAME") {
					file = m[1]
					if _, err := os.Stat(filepath.FromSlash(file)); err != nil {
						t.Errorf("%s names %s: %v", page, file, err)
						file = ""
					}
				} else if file != "" && path.Ext(file) != "" && onlyNames && !declares(read(t, file), m[1]) {
					t.Errorf("%s says that %s is in %s: it is not declared there", page, m[1], file)
				}
			}
		}
	}
}

// declares says whether a file of Go or TypeScript declares a function, a type or a value; Type.Method names a method.
func declares(source, name string) bool {
	receiver, method, isMethod := strings.Cut(name, ".")
	pattern := `(?m)^\s*(export )?(func|type|const|var|function|interface|class) (\([^)]*\) )?` + regexp.QuoteMeta(name) + `\b|^\t` + regexp.QuoteMeta(name) + `\b.* = `
	if isMethod {
		pattern = `(?m)^func \(\w* ?\*?` + regexp.QuoteMeta(receiver) + `(\[\w+\])?\) ` + regexp.QuoteMeta(method) + `\b`
	}
	return regexp.MustCompile(pattern).MatchString(source)
}

// Each line that docs/reliability.md says is broken on purpose stands in its file, once, and
// the test that has to notice is there: `make mutations` takes minutes, this none.
func TestMutationsHaveTheirLines(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("docs/reliability.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "## Broken on purpose\n")
	section, _, _ = strings.Cut(section, "\n## ")
	row := regexp.MustCompile("^\\| [0-9]+ \\| `([^`]+)` \\| `([^`]+)` \\| `[^`]+` \\| `([^`]+)` `([^`]+)` \\|$")
	rows := 0
	for line := range strings.Lines(section) {
		cells := row.FindStringSubmatch(strings.TrimSpace(line))
		if cells == nil {
			continue
		}
		rows++
		text, err := os.ReadFile(filepath.FromSlash(cells[1]))
		if err != nil {
			t.Error(err)
		}
		if n := strings.Count(string(text), cells[2]); n != 1 {
			t.Errorf("%s has %q %d times, want it once", cells[1], cells[2], n)
		}
		if !declared(t, cells[4], cells[3]) {
			t.Errorf("there is no %s in %s", cells[4], cells[3])
		}
	}
	if rows < 12 {
		t.Errorf("%d lines are broken on purpose, want 12 or more", rows)
	}
}

// What go.mod asks for directly, and nothing else, has a row in CONTRIBUTING.md that says why; so has each package of the page.
func TestDependenciesHaveReasons(t *testing.T) {
	t.Parallel()
	_, section, _ := strings.Cut(read(t, "CONTRIBUTING.md"), "\n## Dependencies")
	mods, err := filepath.Glob("brokle*/go.mod") // integrations, with what they integrate
	if err != nil || len(mods) == 0 {
		t.Fatalf("no go.mod of an integration: %v", err)
	}
	var asked [][]string
	for _, mod := range append(mods, "go.mod") {
		for _, m := range regexp.MustCompile(`(?m)^\t(\S+) v\S+$`).FindAllStringSubmatch(read(t, mod), -1) {
			if m[1] != module {
				asked = append(asked, m)
			}
		}
	}
	if len(asked) < 10 {
		t.Fatalf("only %d modules were found: the pattern is wrong", len(asked))
	}
	for _, m := range asked {
		if row := regexp.MustCompile(`(?m)^\|.*\s` + regexp.QuoteMeta(m[1]) + `[\s,].*\S \|$`); !row.MatchString(section) {
			t.Errorf("no row of CONTRIBUTING.md says why %s is needed", m[1])
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^    "(\S+)": "\d`).FindAllStringSubmatch(read(t, "web/package.json"), -1) {
		if !regexp.MustCompile(`(?m)^\| (\S+, )*` + regexp.QuoteMeta(m[1]) + `[ ,]`).MatchString(section) {
			t.Errorf("no row of CONTRIBUTING.md says why the page needs %s", m[1])
		}
	}
	for _, row := range regexp.MustCompile(`(?m)^\| ([\w-]+\.[\w.-]+/\S+) \|`).FindAllStringSubmatch(section, -1) {
		if !slices.ContainsFunc(asked, func(m []string) bool { return m[1] == row[1] }) {
			t.Errorf("CONTRIBUTING.md says why %s is needed, and go.mod does not ask for it", row[1])
		}
	}
}

// Nothing sleeps by the real clock: only tests may call time.Sleep, in files of which some run in
// a bubble of testing/synctest. What measures, in .ci, is another matter.
func TestNothingSleeps(t *testing.T) {
	t.Parallel()
	err := fs.WalkDir(os.DirFS("."), ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (p == "findings" || d.Name() == "node_modules" || p != "." && strings.HasPrefix(d.Name(), ".")) {
			return fs.SkipDir
		}
		if path.Ext(p) != ".go" {
			return nil
		}
		source := read(t, p)
		bubble := strings.HasSuffix(p, "_test.go") && strings.Contains(source, "\"testing/synctest\"\n")
		if !bubble && regexp.MustCompile(`(?m)^[^"`+"`"+`/]*\btime\.Sleep\(`).MatchString(source) {
			t.Errorf("%s calls time.Sleep", p)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
