package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/e2e/rig"
	"github.com/brokle-ai/brokle-go/internal/watch"
)

// readSnippets prints what the page shows to who has sent nothing yet; it runs beside the page's unit tests.
const readSnippets = `import { source } from "./test/unit/source.mjs";
const { snippets } = await source("snippets.ts");
console.log(JSON.stringify(snippets(process.env.HOST)));`

// runSnippets runs what the page shows to who has sent nothing yet, as it stands there: each makes one finished call.
// python has OpenTelemetry's packages.
func runSnippets(t *testing.T, n *rig.Node, python string) {
	if _, err := os.Stat(filepath.Join(pageTests, "node_modules", "esbuild")); err != nil {
		say := t.Logf
		if os.Getenv("BROKLE_E2E_BROWSER") != "" {
			say = t.Fatalf
		}
		say("the snippets of the page were not run: %v (make build installs what reads them)", err)
		return
	}
	read := exec.CommandContext(t.Context(), "node", "--input-type=module", "-e", readSnippets)
	read.Dir, read.Env = pageTests, append(os.Environ(), "HOST="+n.URL)
	out, err := read.CombinedOutput()
	var snippets []struct{ Title, Code string }
	if err == nil {
		err = json.Unmarshal(out, &snippets)
	}
	if err != nil {
		t.Fatalf("read the page's snippets: %v\n%s", err, out)
	}
	interpreters := map[string][]string{"Go": {"go", "run"}, "Python": {python}, "OpenTelemetry": {"bash"}, "curl": {"bash"}}
	if len(snippets) != len(interpreters) {
		t.Fatalf("the page shows %d ways to begin; %d are known here", len(snippets), len(interpreters))
	}
	for i, s := range snippets {
		t.Run("snippet "+s.Title, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "first.go") // go run asks for the ending, the others do not
			if err := os.WriteFile(file, []byte(s.Code), 0o600); err != nil {
				t.Fatal(err)
			}
			args := append(interpreters[s.Title], file)
			cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
			cmd.Dir = "../.." // for go run: the module that is imported
			cmd.Env = slices.DeleteFunc(os.Environ(), func(s string) bool { return strings.HasPrefix(s, "OTEL_") || strings.HasPrefix(s, "PYTHON") })
			cmd.Env = append(cmd.Env, "BROKLE_API_KEY="+rig.Key)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			var page brokle.Page[brokle.Observation]
			watch.Within(t, rig.Patience, "the call can be read", func() bool {
				n.GetJSON(t, "/v1/observations?model=gpt-4o-mini", &page)
				return len(page.Data) > i
			})
			if len(page.Data) != i+1 {
				t.Errorf("%d calls, want %d", len(page.Data), i+1)
			}
			for _, o := range page.Data {
				if o.Type != brokle.TypeGeneration || o.EndTime == nil || o.LatencyMS == nil || count(o.PromptTokens) != 14 || count(o.CompletionTokens) != 9 {
					t.Errorf("not a finished call: %+v", o)
				}
			}
		})
	}
}
