package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/e2e/rig"
)

// pageTests are the tests of the web page, written beside it: a real browser
// before the real binary.
const pageTests = "../../web"

// browserTest is what a test in a browser needs beside a node.
type browserTest struct {
	chromium string
	data     string // the data directory of the node
}

// newBrowserTest looks for the browser, the built page and its tests' packages.
// With BROKLE_E2E_BROWSER=1, as make sets it, what is missing fails the test
// instead of skipping it.
func newBrowserTest(t *testing.T) *browserTest {
	t.Helper()
	missing := t.Skipf
	if os.Getenv("BROKLE_E2E_BROWSER") != "" {
		missing = t.Fatalf
	}
	for what, path := range map[string]string{
		"the page is not built": "site/app/index.html", "the page's tests have no packages": "node_modules/playwright-core/package.json",
	} {
		if _, err := os.Stat(filepath.Join(pageTests, path)); err != nil {
			missing("skipped: %s (make build builds it, make e2e has all)", what)
		}
	}
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		missing("skipped: %v", err)
	}
	return &browserTest{chromium: chromium, data: filepath.Join(t.TempDir(), "data")}
}

// run runs test files, one after another: a browser each, and live rows must not be of another file.
func (b *browserTest) run(t *testing.T, n *rig.Node, files ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "node", append([]string{"--test", "--test-concurrency=1", "--test-reporter=spec"}, files...)...)
	cmd.Dir = pageTests
	cmd.Env = append(os.Environ(), "BROKLE_URL="+n.URL, "BROKLE_KEY="+rig.Key, "BROKLE_READ_KEY="+readKey(t, b.data),
		"BROKLE_CHROMIUM="+b.chromium, "NO_COLOR=1")
	out, err := cmd.CombinedOutput()
	for line := range strings.Lines(string(out)) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "ℹ") || strings.Contains(line, "# SKIP") {
			t.Log(line) // measurements and counts
		}
	}
	if err != nil {
		t.Fatalf("node --test: %v\n%s", err, out[max(0, len(out)-12000):])
	}
}

// The page, over a day of the sample and, when it is there, the real input.
// BROKLE_SHOTS names a directory for pictures.
func TestBrowser(t *testing.T) {
	t.Parallel()
	b := newBrowserTest(t)
	n := startNode(t, b.data, "--dev", "--sample")
	waitSample(t, n)
	tests, err := filepath.Glob(filepath.Join(pageTests, "test", "*.test.mjs"))
	if err != nil || len(tests) == 0 {
		t.Fatalf("no tests of the page: %v", err)
	}
	if os.Getenv("BROKLE_SHOTS") != "" { // pictures are of the sample alone
		tests = []string{filepath.Join(pageTests, "test", "looks.test.mjs")}
	} else if _, err := os.Stat(realInput); err == nil {
		events := filepath.Join(t.TempDir(), "events.jsonl")
		convert(t, events)
		send(t, n, events)
	}
	for i, file := range tests {
		tests[i] = "test/" + filepath.Base(file)
	}
	b.run(t, n, tests...)
}

// readKey makes a key that may only read, the way an operator does beside the
// running server.
func readKey(t *testing.T, data string) string {
	t.Helper()
	return newKey(t, data, "reader", "read")
}

// waitSample waits until the sample can be queried.
func waitSample(t *testing.T, n *rig.Node) {
	t.Helper()
	deadline := time.Now().Add(60 * time.Second)
	for !strings.Contains(n.Log(), "sample loaded") || countEvents(t, n) < 1000 {
		if time.Now().After(deadline) {
			t.Fatal("the sample was not loaded within a minute")
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		}
	}
}
