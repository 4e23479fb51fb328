package daemon

import "testing"

// FuzzSettings: any text of any setting is a value within its range, or an error that names it.
func FuzzSettings(f *testing.F) {
	for _, text := range []string{"", "0", "-1", "1GiB", "1.5 MiB", "9999999TiB", "NaN", "Inf", "1e999", "30s", "-1h", "292277h", "true", "TRUE", "\xff", "0x10", "info", ":8080", "[::1]:80"} {
		for i := range Settings() {
			f.Add(i, text)
		}
	}
	f.Fuzz(func(t *testing.T, i int, text string) {
		all := Settings()
		if i < 0 || i >= len(all) {
			return
		}
		var c Config
		if all[i].Set(&c, text) != nil {
			return
		}
		if b, err := ParseBytes(text); err == nil && b < 0 {
			t.Fatalf("%q is %d bytes", text, b)
		}
		if all[i].check(&c) == nil && !all[i].zero(&c) {
			again := Config{}
			if err := all[i].Set(&again, all[i].Text(&c)); err != nil {
				t.Fatalf("%s: %q is written %q, which cannot be read: %v", all[i].Field, text, all[i].Text(&c), err)
			}
		}
	})
}
