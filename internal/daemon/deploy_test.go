package daemon

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
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

// The unit stops later than the drain, runs as nobody special, and may write to
// its state directory only.
func TestUnitIsConfined(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("../../deploy/brokle.service")
	if err != nil {
		t.Fatal(err)
	}
	unit := map[string][]string{}
	env := Config{}
	for line := range strings.Lines(string(b)) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if !ok || strings.HasPrefix(name, "#") {
			continue
		}
		unit[name] = append(unit[name], value)
		if variable, text, ok := strings.Cut(value, "="); ok && name == "Environment" {
			i := slices.IndexFunc(Settings(), func(s Setting) bool { return s.Env == variable })
			if i < 0 {
				t.Errorf("there is no setting %s", variable)
			} else if err := Settings()[i].Set(&env, text); err != nil {
				t.Error(err)
			}
		}
	}
	if err := env.Validate(); err != nil {
		t.Error(err)
	}
	for name, want := range map[string]string{
		"User": "brokle", "ProtectSystem": "strict", "ProtectHome": "yes", "NoNewPrivileges": "yes", "CapabilityBoundingSet": "", "PrivateTmp": "yes",
		"StateDirectory": "brokle", "StateDirectoryMode": "0700", "UMask": "0077", "Restart": "on-failure", "ExecStart": "/usr/local/bin/brokle serve",
	} {
		if got := unit[name]; len(got) != 1 || got[0] != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if env.DataDir != "/var/lib/"+unit["StateDirectory"][0] {
		t.Errorf("the data is in %s, which the unit may not write", env.DataDir)
	}
	for _, name := range []string{"MemoryMax", "TasksMax", "LimitNOFILE", "StartLimitBurst"} {
		if len(unit[name]) != 1 {
			t.Errorf("%s is %q", name, unit[name])
		}
	}
	stop, err := time.ParseDuration(strings.Join(unit["TimeoutStopSec"], "") + "s")
	if err != nil || stop <= env.DrainTimeout+5*time.Second {
		t.Errorf("the unit is killed after %v, %v; the drain takes %v", stop, err, env.DrainTimeout)
	}
}
