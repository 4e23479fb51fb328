package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The commands in deploy/ are commands of this binary, with flags that they have.
func TestDeployCommands(t *testing.T) {
	t.Parallel()
	line := regexp.MustCompile(`(?:^|[ /=])brokle ((?:serve|check|keys|send|query|quarantine|log)\b.*)$`)
	found := 0
	err := filepath.WalkDir("../../deploy", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for text := range strings.Lines(string(b)) {
			m := line.FindStringSubmatch(strings.TrimSpace(text))
			if m == nil {
				continue
			}
			found++
			var words, flags []string
			for word := range strings.FieldsSeq(m[1]) {
				if strings.HasPrefix(word, "--") {
					flags = append(flags, word)
				} else if len(flags) == 0 {
					words = append(words, word)
				}
			}
			command(t, "", nil, append(words, "--help")...).want(t, 0, flags...)
		}
		return nil
	})
	if err != nil || found < 3 {
		t.Errorf("%d commands found, %v", found, err)
	}
}
