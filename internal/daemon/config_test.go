package daemon

import (
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
)

// TestEveryFieldIsASetting holds Config and the table of settings together.
func TestEveryFieldIsASetting(t *testing.T) {
	t.Parallel()
	var c Config
	v := reflect.ValueOf(&c).Elem()
	settings := map[string]Setting{}
	seen := map[string]string{}
	for _, s := range Settings() {
		settings[s.Field] = s
		for _, name := range []string{s.Flag, s.Env} {
			if other := seen[name]; name != "" && other != "" {
				t.Errorf("%s names both %s and %s", name, other, s.Field)
			}
			seen[name] = s.Field
		}
		if !strings.HasPrefix(s.Env, "BROKLE_") || s.Range == "" || s.Usage == "" {
			t.Errorf("%s: environment variable %q, range %q, usage %q", s.Field, s.Env, s.Range, s.Usage)
		}
	}
	for i := range v.NumField() {
		name := v.Type().Field(i).Name
		s, ok := settings[name]
		if !ok {
			t.Errorf("Config.%s has no setting", name)
			continue
		}
		if s.ptr(&c) != v.Field(i).Addr().Interface() {
			t.Errorf("the setting of %s points to another field", name)
		}
	}
	if len(settings) != v.NumField() {
		t.Errorf("%d settings for %d fields", len(settings), v.NumField())
	}
}

func TestDefaultsAreValid(t *testing.T) {
	t.Parallel()
	if err := (Config{}).Validate(); err != nil {
		t.Fatal(err)
	}
	d := Config{}.withDefaults()
	for _, s := range Settings() {
		if s.Default != "" && s.Text(&d) != s.Default {
			t.Errorf("%s: the default reads %q and is %q", s.Field, s.Default, s.Text(&d))
		}
	}
}

func TestValidateNamesEveryFault(t *testing.T) {
	t.Parallel()
	c := Config{
		Listen: "8080", MaxEvents: -1, MaxDecodedBytes: 2048, LogLevel: "loud",
		DrainTimeout: -time.Second, BootstrapAPIKey: "secret-that-is-no-key",
	}
	err := c.Validate()
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		"Listen (--listen, BROKLE_LISTEN) is 8080: must be HOST:PORT",
		"MaxEvents (--max-events, BROKLE_MAX_EVENTS) is -1: must be 1 to 100000",
		"MaxDecodedBytes (--max-decoded-bytes, BROKLE_MAX_DECODED_BYTES) is 2KiB: must be at least MaxBodyBytes (32MiB)",
		"LogLevel (--log-level, BROKLE_LOG_LEVEL) is loud: must be debug, info, warn or error",
		"DrainTimeout (--drain-timeout, BROKLE_DRAIN_TIMEOUT) is -1s: must be 1ms to 1h",
		"BootstrapAPIKey (BROKLE_BOOTSTRAP_API_KEY) is ********",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("missing in the error: %s", want)
		}
	}
	if strings.Contains(err.Error(), "secret-that") {
		t.Error("the error shows the secret")
	}
	if t.Failed() {
		t.Log(err)
	}
}

func TestEffectiveMasksSecrets(t *testing.T) {
	t.Parallel()
	c := Config{BootstrapAPIKey: "bk_0123456789abcdefghij", MaxEvents: 7}
	for _, e := range c.Effective() {
		if strings.Contains(e.Value, "0123456789") {
			t.Errorf("%s shows the secret", e.Field)
		}
		if e.IsDefault != (e.Field != "BootstrapAPIKey" && e.Field != "MaxEvents") {
			t.Errorf("%s: IsDefault %v", e.Field, e.IsDefault)
		}
	}
}

func TestBytes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Bytes{
		"0": 0, "17": 17, "17B": 17, "1KiB": 1024, "1.5MiB": 3 << 19, " 2 GiB ": 2 << 30, "1kB": 1000, "3MB": 3e6,
	} {
		if got, err := ParseBytes(text); err != nil || got != want {
			t.Errorf("ParseBytes(%q) = %d, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "x", "-1", "1XiB", "NaN", "9999999TiB", "1e999"} {
		if got, err := ParseBytes(text); err == nil {
			t.Errorf("ParseBytes(%q) = %d and no error", text, got)
		}
	}
	for _, b := range []Bytes{0, 1, 1023, 1024, 1 << 20, 1<<20 + 1, 5 << 30} {
		if back, err := ParseBytes(b.String()); err != nil || back != b {
			t.Errorf("%d is written %s and read %d, %v", b, b, back, err)
		}
	}
}

// TestDocumentedSettings holds docs/configuration.md to the table of settings.
func TestDocumentedSettings(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	want.WriteString("| flag | environment variable | default | allowed | what it does |\n| --- | --- | --- | --- | --- |\n")
	for _, s := range Settings() {
		flag, def := "–", "–"
		if s.Flag != "" {
			flag = "`--" + s.Flag + "`"
		}
		if s.Default != "" {
			def = "`" + s.Default + "`"
		}
		fmt.Fprintf(&want, "| %s | `%s` | %s | %s | %s |\n", flag, s.Env, def, s.Range, s.Usage)
	}
	if !strings.Contains(string(doc), want.String()) {
		t.Errorf("docs/configuration.md does not hold this table:\n\n%s", want.String())
	}
}
