package rig

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Key is the API key that every server here is started with: all scopes, project "default".
const Key = "bk_e2e_0123456789abcdefghij"

// Binary is a built brokle.
type Binary struct {
	Path string
	dir  string
}

// Build builds cmd/brokle, with build tags when some are given, into a new
// directory that Remove deletes. It is called below the module's root.
func Build(tags string) (*Binary, error) {
	dir, err := os.MkdirTemp("", "brokle-e2e-")
	if err != nil {
		return nil, err
	}
	b := &Binary{Path: filepath.Join(dir, "brokle"), dir: dir}
	out, err := exec.Command("go", "build", "-tags", tags, "-o", b.Path, "github.com/brokle-ai/brokle-go/cmd/brokle").CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("build: %w\n%s", err, out)
	}
	return b, nil
}

// Remove deletes the binary.
func (b *Binary) Remove() { _ = os.RemoveAll(b.dir) }

// Command is `brokle serve` on data, on a free port unless args say otherwise.
func (b *Binary) Command(data string, args ...string) *exec.Cmd {
	cmd := exec.Command(b.Path, append([]string{"serve", "--listen", "127.0.0.1:0", "--data", data}, args...)...)
	cmd.Env = append(os.Environ(), "BROKLE_BOOTSTRAP_API_KEY="+Key)
	return cmd
}
