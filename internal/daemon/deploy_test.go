package daemon

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// The examples in deploy/ name settings that exist.
func TestDeployNamesSettings(t *testing.T) {
	t.Parallel()
	known := map[string]bool{"BROKLE_KEY": true} // of the compose file itself
	for _, s := range Settings() {
		known[s.Env] = true
	}
	name := regexp.MustCompile(`BROKLE_[A-Z_]+`)
	found := 0
	err := filepath.WalkDir("../../deploy", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, n := range name.FindAllString(string(b), -1) {
			found++
			if !known[n] {
				t.Errorf("%s: there is no setting %s", path, n)
			}
		}
		return nil
	})
	if err != nil || found < 10 {
		t.Fatalf("%d names found, %v", found, err)
	}
}
