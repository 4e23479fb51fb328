package server

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/signin"
)

// Every metric that the documentation names exists, and those of the bounds are in docs/operations.md.
func TestDocumentedMetrics(t *testing.T) {
	t.Parallel()
	exists := map[string]bool{}
	definition := regexp.MustCompile(`(?:counter|gauge)\("(\w+)", |Name: "brokle_(\w+)"`)
	for _, file := range []string{"collector.go", "metrics.go", "refused.go"} {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range definition.FindAllSubmatch(src, -1) {
			exists["brokle_"+string(m[1])+string(m[2])] = true
		}
	}
	if len(exists) < 50 {
		t.Errorf("only %d metrics were found: the pattern is wrong", len(exists))
	}
	documented := map[string]string{}
	named := regexp.MustCompile("`(brokle_[a-z_]*[a-z])[`{]")
	docs, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range docs {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range named.FindAllSubmatch(text, -1) {
			documented[string(m[1])] += filepath.Base(path) + " "
		}
	}
	for name, where := range documented {
		if !exists[name] && name != signin.CookieName {
			t.Errorf("%sname %s, which is no metric", where, name)
		}
	}
	for name := range exists {
		bound := regexp.MustCompile(`^brokle_(in_flight|queries|answers|refused)_`).MatchString(name)
		if bound && !strings.Contains(documented[name], "operations.md") {
			t.Errorf("docs/operations.md does not name %s", name)
		}
	}
}
