package document

import (
	"encoding/json"
	"fmt"
)

// Decode reads a JSON text that has its form's version, and is called by a name, into v. The error is newer for a version behind latest, else it says what is damaged:
// also a version below 1, which no release wrote.
func Decode(name string, raw []byte, latest int, newer error, v any) error {
	var form struct{ Version int }
	if json.Unmarshal(raw, &form) == nil && form.Version > latest {
		return newer
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return fmt.Errorf("%s is damaged: %w", name, err)
	}
	if form.Version < 1 {
		return fmt.Errorf("%s is damaged: it has version %d, which no release wrote", name, form.Version)
	}
	return nil
}
