package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/e2e/rig"
)

// bin is the built binary; TestMain sets it before any test runs.
var bin *rig.Binary

func TestMain(m *testing.M) {
	if file := os.Getenv(sdkFileEnv); file != "" {
		os.Exit(sdkProcess(file)) // this binary again, as an application that uses the SDK
	}
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	var err error
	if bin, err = rig.Build(""); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer bin.Remove()
	return m.Run()
}

// startNode starts a server on dir and waits until it listens.
func startNode(t *testing.T, dir string, args ...string) *rig.Node {
	t.Helper()
	return rig.Start(t, bin, dir, args...)
}

func serveCommand(dir string, args ...string) *exec.Cmd { return bin.Command(dir, args...) }

// terminate sends SIGTERM and returns the exit code.
func terminate(t *testing.T, n *rig.Node) int {
	t.Helper()
	code, err := n.Terminate()
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// waitEvents waits until the query API counts want events. Going over is a failure at once.
func waitEvents(t *testing.T, n *rig.Node, want int) {
	t.Helper()
	if err := n.AwaitCount(t.Context(), want); err != nil {
		t.Fatal(err)
	}
}

// countEvents is what the query API counts.
func countEvents(t *testing.T, n *rig.Node) int {
	t.Helper()
	got, err := n.Count(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	return got
}
